"""Run Checks: what waits for a review, worst first: one row a job, a silence of many jobs, or a cause of many."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session

from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun, waits_for_review
from shared.queries.cause_rows import CauseRow, cause_rows
from shared.queries.rows import watched_jobs
from shared.queries.run_checks_rows import Filters, JobRow, grouped_runs, job_rows
from shared.queries.silence_rows import SilenceRow, silence_row, silences

MOST_ROWS = 1000

AnyRow = JobRow | SilenceRow | CauseRow


@dataclass(frozen=True, kw_only=True, slots=True)
class RunChecks:
    """The whole page: rows to look at, and the clean successes that are one line.

    `jobs` and `runs` count all that fits and waits for a review, also beyond the `shown` jobs.
    """

    rows: tuple[AnyRow, ...]
    clean: tuple[JobRow, ...]
    shown: int
    jobs: int
    runs: int

    @property
    def is_cut(self) -> bool:
        return self.shown < self.jobs

    @property
    def clean_runs(self) -> int:
        return sum(len(row.seen) for row in self.clean)


def run_checks(db: Session, filters: Filters, *, now: datetime, by_cause: bool = False) -> RunChecks:
    """Return what waits for a review, at most 1,000 jobs; `by_cause` folds those that are bad for one reason."""
    found = db.execute(grouped_runs(filters).limit(MOST_ROWS + 1)).all()
    rows = list(job_rows(db, found[:MOST_ROWS], now=now))
    jobs, runs = _counts(db, filters) if len(found) > MOST_ROWS else _counts_of(rows)
    return RunChecks(
        rows=_folded(db, [row for row in rows if not row.clean], by_cause=by_cause),
        clean=tuple(row for row in rows if row.clean),
        shown=len({row.job_id for row in rows}),
        jobs=jobs,
        runs=runs,
    )


def one_job(db: Session, job_id: int, *, now: datetime, reviewed_since: datetime | None = None) -> JobRow | None:
    """Return the row of one job, or None when nothing of it is to be shown in a row of its own."""
    query = grouped_runs(Filters(reviewed_since=reviewed_since)).where(Job.id == job_id, JobRun.silence_id.is_(None))
    return next(job_rows(db, db.execute(query).all(), now=now), None)


def one_silence(db: Session, silence_id: int, filters: Filters, *, now: datetime) -> SilenceRow | None:
    """Return the row of one silence as it is with these filters, or None when nothing of it is to be shown."""
    query = grouped_runs(filters).where(JobRun.silence_id == silence_id)
    members = list(job_rows(db, db.execute(query).all(), now=now))
    return silence_row(silences(db, [silence_id])[silence_id], members) if members else None


def one_cause(db: Session, key: str, filters: Filters, *, now: datetime) -> CauseRow | None:
    """Return the row of one cause as it is with these filters, be it of one job only; None when nothing has it."""
    rows = job_rows(db, db.execute(grouped_runs(filters).limit(MOST_ROWS)).all(), now=now)
    return next((row for row in cause_rows(db, rows, fewest=1) if row.key == key), None)


@dataclass(frozen=True, kw_only=True, slots=True)
class Choices:
    """What the page can be narrowed to."""

    customers: tuple[tuple[int, str], ...]
    softwares: tuple[str, ...]


def choices(db: Session) -> Choices:
    """Return the customers and products of which runs wait."""
    waits = select(JobRun.job_id).where(waits_for_review())
    rows = db.execute(
        select(Customer.id, Customer.name, Job.backup_software)
        .join(Job, Job.customer_id == Customer.id)
        .where(*watched_jobs(), Job.id.in_(waits))
        .distinct()
    ).all()
    customers = {(row[0], row[1]) for row in rows}
    return Choices(
        customers=tuple(sorted(customers, key=lambda customer: customer[1].casefold())),
        softwares=tuple(sorted({row[2] for row in rows}, key=str.casefold)),
    )


def jobs_to_review(db: Session) -> int:
    """Return how many jobs have runs to review: the count in the navigation bar."""
    waits = (
        select(func.count(JobRun.job_id.distinct()))
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .where(*watched_jobs(), waits_for_review())
    )
    return db.scalar(waits) or 0


def arrived_meanwhile(db: Session, on_screen: Iterable[int]) -> int:
    """Return how many unreviewed runs the rows of the runs `on_screen` have beside those."""
    known = sorted(set(on_screen))
    row = tuple_(JobRun.job_id, func.coalesce(JobRun.silence_id, 0))
    rows = select(JobRun.job_id, func.coalesce(JobRun.silence_id, 0)).where(JobRun.id.in_(known))
    others = select(func.count()).where(row.in_(rows), waits_for_review(), JobRun.id.not_in(known))
    return db.scalar(others) or 0


def _folded(db: Session, rows: Sequence[JobRow], *, by_cause: bool) -> tuple[AnyRow, ...]:
    """Return the rows with those that fold as one, where the first of them stood."""
    folds: list[SilenceRow | CauseRow] = [*_silence_rows(db, rows), *(cause_rows(db, rows) if by_cause else ())]
    stands_for = {id(member): fold for fold in folds for member in fold.members}
    shown = (stands_for.get(id(row), row) for row in rows)
    return tuple({id(row): row for row in shown}.values())


def _silence_rows(db: Session, rows: Sequence[JobRow]) -> list[SilenceRow]:
    members: dict[int, list[JobRow]] = {}
    for row in rows:
        if row.silence_id is not None:
            members.setdefault(row.silence_id, []).append(row)
    facts = silences(db, list(members))
    return [silence_row(facts[silence_id], jobs) for silence_id, jobs in members.items()]


def _counts_of(rows: Iterable[JobRow]) -> tuple[int, int]:
    waiting = [row for row in rows if row.seen]
    return len({row.job_id for row in waiting}), sum(len(row.seen) for row in waiting)


def _counts(db: Session, filters: Filters) -> tuple[int, int]:
    rows = grouped_runs(filters).order_by(None).add_columns(func.count().filter(waits_for_review()).label("open"))
    fits = rows.subquery()
    waiting = select(func.count(fits.c.job_id.distinct()), func.coalesce(func.sum(fits.c.open), 0))
    jobs, runs = db.execute(waiting.where(fits.c.open > 0)).one()
    return jobs, int(runs)
