"""What an operator can say about a learned schedule, and how the job is watched after it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from shared.domain.schedule import Schedule
from shared.domain.slot_state import ScheduleMode


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """How a job is watched: by a schedule, or without one by its maximum silence."""

    mode: ScheduleMode = ScheduleMode.LEARNED
    schedule: Schedule | None = None
    own_grace: int | None = None  # minutes, instead of what the lanes say
    sleeps: bool = False


@dataclass(frozen=True, slots=True)
class Accept:
    """What is proposed is right."""


@dataclass(frozen=True, slots=True)
class Keep:
    """What is in force is right, whatever is learned from now on."""


@dataclass(frozen=True, slots=True)
class Write:
    """It runs like this."""

    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Reject:
    """It has no regular times."""


@dataclass(frozen=True, slots=True)
class Relearn:
    """Forget what people said, and learn from the runs."""


@dataclass(frozen=True, slots=True)
class OwnGrace:
    """It may be so many minutes late; None for what its runs show."""

    minutes: int | None


@dataclass(frozen=True, slots=True)
class Sleep:
    """It is a device that sleeps, or isn't."""

    sleeps: bool


Correction = Accept | Keep | Write | Reject | Relearn | OwnGrace | Sleep


class NothingToCorrect(ValueError):
    """The correction says what is so already, or speaks of what isn't there; the message says which."""


def corrected(
    watch: Watch, correction: Correction, *, proposal: Schedule | None = None, learned: Schedule | None = None
) -> Watch:
    """Return how the job is watched after a correction; `learned` is what its runs show. Raise NothingToCorrect."""
    match correction:
        case Accept():
            _unless(proposal is None, "Nothing is proposed any more.")
            after = replace(watch, schedule=proposal)
        case Keep():
            _unless(watch.schedule is None, "There is no schedule to keep.")
            _unless(watch.mode is ScheduleMode.PINNED, "The schedule is pinned already.")
            after = replace(watch, mode=ScheduleMode.PINNED)
        case Write(schedule=schedule):
            after = replace(watch, mode=ScheduleMode.PINNED, schedule=schedule, own_grace=None)
        case Reject():
            _unless(watch.mode is ScheduleMode.REJECTED, "The schedule is rejected already.")
            after = replace(watch, mode=ScheduleMode.REJECTED, schedule=None)
        case Relearn():
            _unless(watch.mode is ScheduleMode.LEARNED, "The schedule is learned already.")
            after = replace(watch, mode=ScheduleMode.LEARNED, schedule=learned)
        case OwnGrace(minutes=minutes):
            after = replace(watch, own_grace=minutes)
        case Sleep(sleeps=sleeps):
            _unless(watch.sleeps == sleeps, _SLEEPS_ALREADY[sleeps])
            after = replace(watch, sleeps=sleeps)
    return after


_SLEEPS_ALREADY: Mapping[bool, str] = {
    True: "The job is a device that sleeps already.",
    False: "The job is no device that sleeps.",
}


def _unless(is_so: bool, sentence: str) -> None:  # noqa: FBT001 -- reads as a condition
    if is_so:
        raise NothingToCorrect(sentence)
