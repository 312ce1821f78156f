"""The rows of Run Checks as the database gives them: one a job, and one more for those of its runs that fold."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, and_, func, or_, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from shared.domain.reading import Kind
from shared.domain.run import MatchedBy, RunSource
from shared.domain.status import NEEDS_REASON, Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun, Review, waits_for_review
from shared.queries import overridden
from shared.queries.missed_streaks import Streak, streaks
from shared.queries.not_judged import NO_SLOTS, HeldSlots, held_slots
from shared.queries.open_on_jobs import NOTHING_OPEN, OpenOnJob, explained_runs, open_on_jobs
from shared.queries.rows import contains, watched_jobs


@dataclass(frozen=True, kw_only=True, slots=True)
class Filters:
    """What the page is narrowed to; empty parts don't narrow. A row that fits is shown with all its runs.

    `reviewed_since` adds the runs that were reviewed after that moment.
    """

    customer_id: int | None = None
    software: str = ""
    status: Status | None = None
    text: str = ""
    reviewed_since: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Counted:
    """How many runs of a row have one verdict, and how many of these came late.

    `badge` is the verdict, or that they count as success by an override; those stand apart from the others.
    """

    status: Status
    badge: str
    count: int
    late: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRow:
    """One job with its runs, or with those missed runs of it that fell into one silence of many jobs (`silence_id`).

    `message` and `recovered_on` are of the newest of its worst runs. `seen` are the (run id, verdict version) pairs
    that wait for a review, newest first; `waiting` are their badges.
    """

    job_id: int
    customer_id: int
    customer: str
    job_name: str
    software: str
    backup_type: str
    silence_id: int | None
    counts: tuple[Counted, ...]
    last_run_at: datetime
    message: str
    recovered_on: int | None
    missed: Streak | None
    held: HeldSlots
    open: OpenOnJob
    seen: tuple[tuple[int, int], ...]
    waiting: tuple[str, ...]
    needs_reason: bool
    clean: bool

    @property
    def key(self) -> str:
        """How an open page knows the row again."""
        return str(self.job_id)

    @property
    def pairs(self) -> str:
        return written(self.seen)

    @property
    def worst(self) -> Status:
        return self.counts[0].status


def written(seen: Iterable[tuple[int, int]]) -> str:
    """Return runs as a form carries them: `12:1,13:1`."""
    return ",".join(f"{run_id}:{version}" for run_id, version in seen)


def grouped_runs(filters: Filters) -> Select[*tuple[Any, ...]]:
    """Return the statement for the runs to show, by job and silence, worst first."""
    rank = overridden.rank()
    newest = (JobRun.run_at.desc(), JobRun.id.desc())
    waits = waits_for_review()
    latest_rank = func.array_agg(aggregate_order_by(rank, *newest))[1]
    return (
        select(
            Job.id.label("job_id"),
            Customer.id.label("customer_id"),
            Customer.name.label("customer"),
            Job.job_name,
            Job.backup_software,
            Job.backup_type,
            JobRun.silence_id,
            *(
                func.array_agg(aggregate_order_by(column, *newest)).label(name)
                for name, column in (
                    ("run_ids", JobRun.id),
                    ("versions", JobRun.verdict_version),
                    ("badges", overridden.badge()),
                    ("waiting", waits),
                )
            ),
            # Of few rows, so it costs nothing to ask.
            func.array_agg(JobRun.id).filter(JobRun.is_late).label("late_ids"),
            func.array_agg(aggregate_order_by(JobRun.run_at, *newest))
            .filter(JobRun.source == RunSource.MISSED)
            .label("missed_at"),
            func.max(JobRun.run_at).label("last_run_at"),
            *(
                func.array_agg(aggregate_order_by(column, rank.desc(), *newest))[1].label(name)
                for name, column in (("message", func.left(JobRun.message, 300)), ("recovered_on", JobRun.recovered_on))
            ),
            func.bool_and(and_(waits, _is_clean())).label("clean"),
        )
        .select_from(JobRun)
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .where(*watched_jobs(), *_narrowed(filters))
        .group_by(Job.id, Customer.id, JobRun.silence_id)
        .having(and_(True, *_some_run_fits(filters)))
        # Of two jobs with the same worst run the one that is still bad comes first.
        .order_by(
            func.max(rank).desc(), latest_rank.desc(), func.lower(Customer.name), func.lower(Job.job_name), Job.id
        )
    )


def job_rows(db: Session, found: Sequence[Row[Any]], *, now: datetime) -> Iterator[JobRow]:
    """Yield what is known of each row that `grouped_runs` found."""
    missed = streaks(db, {(row.job_id, row.missed_at[0]): row.missed_at for row in found if row.missed_at})
    job_ids = [row.job_id for row in found]
    held, is_open = held_slots(db, job_ids, now=now), open_on_jobs(db, job_ids)
    explained = explained_runs(db, [run_id for row in found for run_id in _bad_runs(row)])
    silent = {row.job_id for row in found if row.silence_id}
    for row in found:
        beside = Beside(
            missed=missed[row.job_id, row.missed_at[0]] if row.missed_at else None,
            held=held.get(row.job_id, NO_SLOTS) if row.silence_id is None else NO_SLOTS,
            open=is_open.get(row.job_id, NOTHING_OPEN),
            needs_reason=not explained.issuperset(_bad_runs(row)),
            in_silence=row.job_id in silent,
        )
        yield _job_row(row, beside)


@dataclass(frozen=True, kw_only=True, slots=True)
class Beside:
    """What stands elsewhere about the runs of a row; `in_silence` where some run of the job is part of one."""

    missed: Streak | None
    held: HeldSlots
    open: OpenOnJob
    needs_reason: bool
    in_silence: bool

    @property
    def is_nothing_to_see(self) -> bool:
        return not (self.in_silence or self.held.count or self.open.tickets)


def _bad_runs(row: Row[Any]) -> list[int]:
    """Return the runs of a row that wait and of which a review asks why they are all right."""
    runs = zip(row.run_ids, row.badges, row.waiting, strict=True)
    return [run_id for run_id, badge, waits in runs if waits and badge in NEEDS_REASON]


def _job_row(row: Row[Any], beside: Beside) -> JobRow:
    runs = list(zip(row.run_ids, row.versions, row.badges, row.waiting, strict=True))
    late_ids = row.late_ids or ()
    return JobRow(
        job_id=row.job_id,
        customer_id=row.customer_id,
        customer=row.customer,
        job_name=row.job_name,
        software=row.backup_software,
        backup_type=row.backup_type,
        silence_id=row.silence_id,
        counts=_counted(tuple(row.badges), tuple(badge for run_id, _, badge, _ in runs if run_id in late_ids)),
        last_run_at=row.last_run_at,
        message=row.message,
        recovered_on=row.recovered_on,
        missed=beside.missed,
        held=beside.held,
        open=beside.open,
        seen=tuple([(run_id, version) for run_id, version, _, waits in runs if waits]),
        waiting=tuple([badge for _, _, badge, waits in runs if waits]),
        needs_reason=beside.needs_reason,
        clean=row.clean and beside.is_nothing_to_see,
    )


@lru_cache(maxsize=2048)  # most rows of a page look alike
def _counted(badges: tuple[str, ...], late: tuple[str, ...]) -> tuple[Counted, ...]:
    return tuple(
        Counted(status=overridden.status_of(each), badge=each, count=badges.count(each), late=late.count(each))
        for each in sorted(set(badges), key=overridden.worst_first)
    )


def _is_clean() -> ColumnElement[bool]:
    """A clean success: certain of its job, as the mail said it, in time and at once, nothing to look at."""
    return and_(
        ~overridden.is_overridden(),
        JobRun.status == Status.SUCCESS,
        JobRun.raw_status == Status.SUCCESS,
        JobRun.source == RunSource.MAIL,
        JobRun.matched_by != MatchedBy.PERSON,
        ~JobRun.is_late,
        JobRun.recovered_on.is_(None),
        # What such a product does not say proves nothing.
        Job.kind != Kind.ALERT_ONLY,
    )


def _narrowed(filters: Filters) -> list[ColumnElement[bool]]:
    waits: ColumnElement[bool] = waits_for_review()
    if filters.reviewed_since is not None:
        recent = select(Review.id).where(Review.reviewed_at >= filters.reviewed_since)
        waits = or_(waits, JobRun.review_id.in_(recent))
    conditions = [waits]
    if filters.customer_id is not None:
        conditions.append(Customer.id == filters.customer_id)
    if filters.software:
        conditions.append(Job.backup_software == filters.software)
    return conditions


def _some_run_fits(filters: Filters) -> list[ColumnElement[bool]]:
    searched = (Customer.name, Job.job_name, Job.backup_software, Job.backup_type, JobRun.message)
    conditions: list[ColumnElement[bool]] = [func.bool_or(contains(word, *searched)) for word in filters.text.split()]
    if filters.status is not None:
        conditions.append(func.bool_or(overridden.counts_as(filters.status)))
    return conditions
