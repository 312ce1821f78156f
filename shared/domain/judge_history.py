"""A job's whole history judged at once: what it learned, which slots were missed or late, which come next. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from zoneinfo import ZoneInfo

from shared.domain.learn_schedule import GRACE_FLOOR
from shared.domain.schedule import ScheduleKind, as_datetime, describe
from shared.domain.schedule_course import walk

NEXT_SLOTS = 5
KNOWN_TO_BE_IRREGULAR = 8  # runs; with fewer and no pattern nothing is known yet


@dataclass(frozen=True, kw_only=True, slots=True)
class Verdict:
    """What a history shows. Instants are in UTC; without a schedule there are no slots."""

    kind: ScheduleKind
    description: str
    confidence: float | None
    grace_minutes: int | None
    next_slots: tuple[datetime, ...]
    missed: tuple[datetime, ...]
    late: tuple[datetime, ...]


def judge_history(
    runs: Sequence[datetime],
    zone: ZoneInfo,
    *,
    until: datetime,
    start: datetime | None = None,
    floor: int = GRACE_FLOOR,
) -> Verdict:
    """Walk forward through `runs` (aware, any order) up to `until`, and judge the slots from `start` on.

    At each slot only the runs before its deadline count, except that a run which comes later makes it late, not missed.
    """
    moments = sorted(run.timestamp() for run in runs)
    course = walk(moments, zone, until.timestamp(), floor=floor)
    known = [moment for moment in moments if moment <= until.timestamp()]
    if course.schedule is None:
        irregular = len(known) >= KNOWN_TO_BE_IRREGULAR
        return _without_slots(ScheduleKind.IRREGULAR if irregular else ScheduleKind.UNKNOWN)
    missed, late = course.results(start.timestamp() if start else float("-inf"), until.timestamp())
    return Verdict(
        kind=course.schedule.kind,
        description=describe(course.schedule),
        confidence=course.schedule.confidence,
        grace_minutes=course.schedule.grace,
        next_slots=tuple(
            as_datetime(slot.at) for slot in islice(course.schedule.slots_from(until.timestamp(), zone), NEXT_SLOTS)
        ),
        missed=tuple(as_datetime(each.slot.at) for each in missed),
        late=tuple(as_datetime(each.slot.at) for each in late),
    )


def _without_slots(kind: ScheduleKind) -> Verdict:
    words = "no regular times" if kind is ScheduleKind.IRREGULAR else "too few runs to tell"
    return Verdict(kind=kind, description=words, confidence=None, grace_minutes=None, next_slots=(), missed=(), late=())
