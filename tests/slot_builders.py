"""Builders of schedules and slots, for tests of what comes after learning and judging."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from shared.domain.schedule import Cycle, Lane, Schedule, ScheduleKind
from shared.domain.schedule_json import lanes_to_json
from shared.domain.slot_state import SlotState
from shared.models.schedules import JobSchedule, JobSlot

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
EVERY_DAY = Cycle(1, frozenset(range(7)), 1)


def make_schedule(db: Session, job_id: int, *hours: float, grace: int = 60) -> JobSchedule:
    """Give the job a schedule in force: daily at these local hours. Without hours it has none."""
    lanes = tuple(Lane(rule=EVERY_DAY, minute=60 * hour, grace=grace) for hour in hours)
    known = JobSchedule(
        job_id=job_id,
        kind=ScheduleKind.DAILY if hours else ScheduleKind.IRREGULAR,
        lanes=lanes_to_json(Schedule(lanes=lanes, confidence=1.0).lanes),
        confidence=1.0 if hours else None,
        silence_minutes=None if hours else 7 * 24 * 60,
    )
    db.add(known)
    db.flush()
    return known


def make_slot(
    db: Session,
    job_id: int,
    day: date,
    hour: float = 22,
    *,
    state: SlotState = SlotState.EXPECTED,
    run_id: int | None = None,
    why: str = "",
    zone: ZoneInfo = AMSTERDAM,
    is_silence: bool = False,
) -> JobSlot:
    """Return a slot of that local day; the hour may lie beyond its ends, as that of a job around midnight does."""
    midnight = datetime.combine(day, time(), zone)
    at = datetime.fromtimestamp(midnight.timestamp() + 3600 * hour, tz=zone)
    slot = JobSlot(
        job_id=job_id,
        slot_at=at,
        day=day,
        early_from=at - timedelta(hours=1),
        deadline=at + timedelta(hours=1),
        state=state,
        run_id=run_id,
        why=why or ("closed: Holiday" if state is SlotState.SKIPPED else ""),
        is_silence=is_silence,
    )
    db.add(slot)
    db.flush()
    return slot
