"""What a run takes over from a reading, and the one sentence that says why it is what it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.domain.reading import ObjectResult, Reading
from shared.domain.status import Status, badness

_GOOD = frozenset({Status.SUCCESS, Status.INFORMATIONAL})


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFacts:
    """A verdict with what it rests on. Times are as the mail gave them, with or without a zone."""

    status: Status
    message: str = ""
    objects: tuple[ObjectResult, ...] = ()
    objects_complete: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    size_bytes: int | None = None


def facts_of(reading: Reading) -> RunFacts:
    return RunFacts(
        status=reading.status,
        message=reading.message or why(reading.objects),
        objects=reading.objects,
        objects_complete=reading.lists_everything,
        started_at=reading.started_at,
        ended_at=reading.ended_at,
        size_bytes=reading.size_bytes,
    )


def unreadable_facts(reason: str) -> RunFacts:
    return RunFacts(status=Status.UNREADABLE, message=reason)


def why(objects: Sequence[ObjectResult]) -> str:
    """Return the worst object's own words, and of how many it is one; empty when nothing is wrong."""
    troubled = [thing for thing in objects if thing.status not in _GOOD and not thing.recovered]
    if not troubled:
        return ""
    first = max(troubled, key=lambda thing: badness(thing.status))
    words = f"{first.name}: {' '.join((first.message or first.status).split())}"
    return words if len(objects) == 1 else f"{words} ({len(troubled)} of {len(objects)})"


def instant(moment: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return `moment` as an instant: a wall-clock time is one of the customer's zone."""
    return moment if moment is None or moment.tzinfo else moment.replace(tzinfo=zone)
