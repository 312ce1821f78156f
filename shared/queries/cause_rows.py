"""Jobs of one product that are bad for one reason: one row of Run Checks for all of them."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from sqlalchemy.orm import Session

from shared.domain.cause import cause_of, in_common, says_something
from shared.domain.status import Status
from shared.queries.open_on_jobs import OpenOnJob, open_on_any
from shared.queries.overridden import worst_first
from shared.queries.run_checks_rows import Counted, JobRow, written
from shared.queries.said_by_runs import SaidByRun, said_by_runs

FEWEST = 2  # jobs that make a row of their own

_SAY_WHY = {Status.FAILED, Status.WARNING, Status.UNREADABLE}  # what never came says nothing


@dataclass(frozen=True, kw_only=True, slots=True)
class CauseRow:
    """A cause with the rows of the jobs whose worst run has it, the worst first.

    `words` are what the errors share. `other_runs` are those of the jobs that wait as well, but are good or bad for
    another reason.
    """

    key: str
    software: str
    words: str
    other_runs: int
    members: tuple[JobRow, ...]

    @property
    def seen(self) -> tuple[tuple[int, int], ...]:
        return tuple(pair for row in self.members for pair in row.seen)

    @property
    def pairs(self) -> str:
        return written(self.seen)

    @property
    def customers(self) -> tuple[str, ...]:
        return tuple({row.customer_id: row.customer for row in self.members}.values())

    @property
    def counts(self) -> tuple[Counted, ...]:
        found: dict[str, Counted] = {}
        for each in (counted for row in self.members for counted in row.counts):
            had = found.get(each.badge)
            count, late = (had.count, had.late) if had else (0, 0)
            found[each.badge] = Counted(
                status=each.status, badge=each.badge, count=count + each.count, late=late + each.late
            )
        return tuple(sorted(found.values(), key=lambda counted: worst_first(counted.badge)))

    @property
    def held_slots(self) -> int:
        return sum(row.held.count for row in self.members)

    @property
    def open(self) -> OpenOnJob:
        return open_on_any(row.open for row in self.members)

    @property
    def last_run_at(self) -> datetime:
        return max(row.last_run_at for row in self.members)

    @property
    def needs_reason(self) -> bool:
        return any(row.needs_reason for row in self.members)


Group = tuple[str, str]  # a product and a cause


def cause_rows(db: Session, rows: Iterable[JobRow], *, fewest: int = FEWEST) -> list[CauseRow]:
    """Return the causes that the worst waiting runs of so many of the jobs have, each with the rows of these jobs."""
    worst = {run_id: row for row in rows if (run_id := _worst_run(row)) is not None}
    said = said_by_runs(db, worst)
    found: dict[Group, dict[int, JobRow]] = {}
    for run_id, row in worst.items():
        if cause := _cause(said[run_id], row):
            found.setdefault((row.software, cause), {})[run_id] = row
    groups = {group: members for group, members in found.items() if len(members) >= fewest}
    of_cause = _runs_of_cause(db, groups)
    return [
        CauseRow(
            key=_key(group),
            software=group[0],
            words=_words([said[run_id] for run_id in members], list(members.values())),
            other_runs=sum(len(row.seen) for row in members.values()) - of_cause[group],
            members=tuple(members.values()),
        )
        for group, members in groups.items()
    ]


def _worst_run(row: JobRow) -> int | None:
    """Return the newest of the worst runs that wait, if it is one that says why it is bad."""
    badge = min(row.waiting, key=worst_first, default="")
    return row.seen[row.waiting.index(badge)][0] if badge in _SAY_WHY and row.silence_id is None else None


def _cause(said: SaidByRun, row: JobRow) -> str:
    """Return the cause of a run, empty where nothing is said that others could say as well."""
    causes = {cause_of(text, names=_named_in(text, said, row)) for text in said.texts}
    return "\n".join(sorted(cause for cause in causes if says_something(cause)))


def _named_in(text: str, said: SaidByRun, row: JobRow) -> tuple[str, ...]:
    """Return the names that stand in a text. That of the job may be any word, so only in quotes it is a name."""
    quoted = (f'"{row.job_name}"', f"'{row.job_name}'", f"[{row.job_name}]")
    lowered = text.lower()
    return tuple([name for name in (*quoted, *said.names) if name.lower() in lowered])


def _runs_of_cause(db: Session, groups: Mapping[Group, Mapping[int, JobRow]]) -> dict[Group, int]:
    """Return how many of the waiting runs of a group's jobs have its cause."""
    others = {
        run_id: (group, row)
        for group, members in groups.items()
        for worst, row in members.items()
        for (run_id, _), badge in zip(row.seen, row.waiting, strict=True)
        if badge in _SAY_WHY and run_id != worst
    }
    said = said_by_runs(db, others)
    same = Counter(group for run_id, (group, row) in others.items() if _cause(said[run_id], row) == group[1])
    return {group: len(members) + same[group] for group, members in groups.items()}


def _words(said: Sequence[SaidByRun], rows: Sequence[JobRow]) -> str:
    """Return the texts of the newest run; where the others say them in other words, only what they share."""
    newest = max(range(len(rows)), key=lambda at: rows[at].last_run_at)
    texts = said[newest].texts
    if any(each.texts != texts for each in said):
        texts = tuple(in_common(text, names=_named_in(text, said[newest], rows[newest])) for text in texts)
    return " · ".join(dict.fromkeys(texts))


def _key(group: Group) -> str:
    return "c" + sha256("\0".join(group).encode()).hexdigest()[:16]
