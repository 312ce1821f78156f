"""Whether a whole sender, or a whole customer, fell silent, and which of several silences explain the others."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

MIN_JOBS = 5


@dataclass(frozen=True, slots=True)
class Source:
    """A sender or a customer."""

    from_address: str | None = None
    customer_id: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Evidence:
    """What became of the last slot that each of a source's `jobs` had in the last 24 hours.

    `missed` are the jobs whose slot was missed, silent from `began_at` to `last_at` as far as those hours show. The
    rest arrived, or can't be judged yet.
    """

    jobs: int
    arrived: int
    missed: frozenset[int]
    began_at: datetime | None
    last_at: datetime | None

    @property
    def is_silent(self) -> bool:
        """At least five jobs, and four of five."""
        return len(self.missed) >= MIN_JOBS and 5 * len(self.missed) >= 4 * self.jobs

    @property
    def is_back(self) -> bool:
        """More than a fifth arrived, so that it can't be silent."""
        return 5 * self.arrived > self.jobs


@dataclass(frozen=True, kw_only=True, slots=True)
class Silence:
    """A source that fell silent with these jobs; without an id it was only found now."""

    source: Source
    silence_id: int | None = None
    jobs: frozenset[int]
    began_at: datetime
    last_at: datetime

    @property
    def rank(self) -> tuple[int, bool, str, int]:
        """What explains more jobs comes first; of two that explain as many, the customer."""
        whose = self.source
        return (-len(self.jobs), whose.customer_id is None, whose.from_address or "", whose.customer_id or 0)


def apart(silences: Iterable[Silence]) -> tuple[list[Silence], list[Silence]]:
    """Return the silences that are items of their own, biggest first, and those that these explain.

    When a relay dies, every customer behind it falls silent too, one after the other: that is one incident.
    """
    own, explained = list[Silence](), list[Silence]()
    told = set[int]()
    for silence in sorted(silences, key=lambda each: each.rank):
        if silence.jobs & told and len(silence.jobs - told) < MIN_JOBS:
            explained.append(silence)
        else:
            own.append(silence)
            told |= silence.jobs
    return own, explained
