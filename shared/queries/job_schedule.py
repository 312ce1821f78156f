"""What a job's schedule is, in words and moments: the card on its page, and `schedule_words` for other screens."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.schedule import ScheduleKind, as_datetime, describe
from shared.domain.schedule_json import schedule_from_json, schedule_of
from shared.domain.slot_state import ScheduleMode, SlotState
from shared.models.schedules import JobSchedule, JobSlot

NEXT = 5
LOOK_BACK = timedelta(days=90)


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleCard:
    """How a job is watched. Without `description` it has no regular times, and `silence_ends` says when it must come.

    `slots` counts the last 90 days' slots by what became of them.
    """

    mode: ScheduleMode
    kind: ScheduleKind
    description: str
    confidence: float | None
    grace_minutes: int | None
    learned_runs: int
    learned_from: datetime | None
    learned_until: datetime | None
    next_slots: Sequence[datetime]
    proposal: str
    silence_ends: datetime | None
    slots: Mapping[SlotState, int]
    held_because: str


def job_schedule(db: Session, job_id: int, zone: ZoneInfo, *, now: datetime) -> ScheduleCard | None:
    """Return how the job is watched, None for one that isn't, or that nobody has looked at yet."""
    known = db.get(JobSchedule, job_id)
    if known is None:
        return None
    counted = (
        select(JobSlot.state, func.count(), func.max(JobSlot.why))
        .where(JobSlot.job_id == job_id, JobSlot.slot_at >= now - LOOK_BACK, JobSlot.slot_at <= now)
        .group_by(JobSlot.state)
    )
    states: dict[SlotState, tuple[int, str]] = {row[0]: (row[1], row[2]) for row in db.execute(counted)}
    silence = select(func.max(JobSlot.deadline)).where(JobSlot.job_id == job_id, JobSlot.is_silence)
    return ScheduleCard(
        mode=known.mode,
        kind=known.kind,
        confidence=known.confidence,
        learned_runs=known.learned_runs,
        learned_from=known.learned_from,
        learned_until=known.learned_until,
        proposal=describe(schedule_from_json(known.proposal)) if known.proposal else "",
        silence_ends=None if known.lanes else db.scalar(silence),
        slots={state: number for state, (number, _) in states.items()},
        held_because=states.get(SlotState.NOT_JUDGED, (0, ""))[1],
        **_of_lanes(known, zone, now),
    )


def schedule_words(db: Session, job_id: int) -> str:
    """Return how a job is watched in a few words, like "Mon–Fri at 22:05"; empty for one that nobody looked at yet."""
    known = db.get(JobSchedule, job_id)
    if known is None:
        return ""
    if known.sleeps:
        return "a device that sleeps"
    return describe(schedule_of(known.lanes, known.confidence))


def _of_lanes(known: JobSchedule, zone: ZoneInfo, now: datetime) -> dict[str, Any]:
    if not known.lanes:
        return {"description": "", "grace_minutes": None, "next_slots": ()}
    schedule = schedule_of(known.lanes, known.confidence)
    upcoming = islice(schedule.slots_from(now.timestamp(), zone), NEXT)
    return {
        "description": describe(schedule),
        "grace_minutes": known.grace_minutes or schedule.grace,
        "next_slots": tuple(as_datetime(slot.at) for slot in upcoming),
    }
