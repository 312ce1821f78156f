"""Whether a ticket has to be told something more about its jobs. Pure.

What was told once is not told again, and less of the same is no news: a note is for an error or an object that nobody
knew of, and for a silence that has grown long.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Any

from shared.domain.cause import cause_of
from shared.domain.names import fold
from shared.domain.overrides import TroubledRun

ONE_A_DAY = timedelta(hours=24)
LONG_SILENCES = (7, 14, 28)  # days
MOST_KEPT = 5_000  # errors, and objects, of a job


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What was told of one job so far. `silence` is the longest one in days that was.

    Errors and objects are kept as marks: a thousand of them are short, and all that is asked is whether one is known.
    Of what is so many that not all is kept nothing is news any more; else the rest would be news every night.
    """

    errors: frozenset[str] = frozenset()
    objects: frozenset[str] = frozenset()
    silence: int = 0

    def to_json(self) -> dict[str, Any]:
        return {
            "error_marks": sorted(self.errors)[:MOST_KEPT],
            "object_marks": sorted(self.objects)[:MOST_KEPT],
            "silence": self.silence,
        }

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "Told":
        """`errors` and `objects` are words: what was kept before there were marks."""
        return cls(
            errors=frozenset(facts.get("error_marks", ())) | _marks(facts.get("errors", ())),
            objects=frozenset(facts.get("object_marks", ())) | _marks(facts.get("objects", ())),
            silence=int(facts.get("silence", 0)),
        )

    def with_more(self, other: "Told") -> "Told":
        return Told(
            errors=self.errors | other.errors,
            objects=self.objects | other.objects,
            silence=max(self.silence, other.silence),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class News:
    """What a job's runs say that was not told yet."""

    errors: frozenset[str]
    objects: frozenset[str]
    silence: int  # days, where it has reached another mark

    def __bool__(self) -> bool:
        return bool(self.errors or self.objects or self.silence)

    @property
    def says(self) -> str:
        """What it is, in the middle of a sentence."""
        if self.errors:
            return "another error"
        return "other objects" if self.objects else f"no report for {self.silence} days"


def said_by(runs: Iterable[TroubledRun], *, silent_for: timedelta = timedelta()) -> Told:
    """Return all that these runs of one job say, and how long it has been silent."""
    runs = list(runs)
    return Told(
        errors=_marks(error for run in runs for error in errors_of(run)),
        objects=_marks(fold(problem.object_name) for run in runs for problem in run.problems if problem.object_name),
        silence=max((days for days in LONG_SILENCES if silent_for >= timedelta(days=days)), default=0),
    )  # fmt: skip


def errors_of(run: TroubledRun) -> frozenset[str]:
    """Return the errors of a run as they are compared: the verdict and the words of each problem."""
    return frozenset(
        f"{problem.status.value}: {cause_of(problem.text, names=(problem.object_name or '',))}"
        for problem in run.problems
    )


def news_in(said: Told, told: Told) -> News:
    """Return what is said and was not told."""
    return News(
        errors=_unknown(said.errors, told.errors),
        objects=_unknown(said.objects, told.objects),
        silence=said.silence if said.silence > told.silence else 0,
    )


def may_note(noted_at: datetime | None, *, now: datetime) -> bool:
    """Tell whether another note is allowed: one a day."""
    return noted_at is None or now - noted_at >= ONE_A_DAY


def _unknown(said: frozenset[str], told: frozenset[str]) -> frozenset[str]:
    return said - told if len(told) < MOST_KEPT else frozenset()


def _marks(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(blake2b(text.encode(), digest_size=6).hexdigest() for text in texts)
