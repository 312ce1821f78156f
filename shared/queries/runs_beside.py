"""The runs of a job beside the one that is looked at: the list of them, and what changed since one that was good."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from shared.domain.names import fold
from shared.domain.run import RunSource
from shared.domain.status import NEEDS_REASON, RESTORABLE, Status
from shared.models.jobs import JobRun, waits_for_review
from shared.models.tickets import is_explained
from shared.queries.objects import GOOD
from shared.queries.overridden import OVERRIDE, is_overridden
from shared.queries.run_objects import statuses_of_run

LISTED_RUNS = 30
_NEWEST = (JobRun.run_at.desc(), JobRun.id.desc())
_IS_WHOLE = JobRun.attempt_of_id.is_(None)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunInList:
    """One run of the job, as the panel lists it; `waits` for a review, `is_explained` by a ticket or a remark."""

    run_id: int
    run_at: datetime
    source: RunSource
    status: Status
    is_overridden: bool
    verdict_version: int
    is_late: bool
    recovered_on: int | None
    reviewed: bool
    waits: bool
    is_explained: bool

    @property
    def badge(self) -> str:
        return OVERRIDE if self.is_overridden else self.status.value

    @property
    def can_be_marked(self) -> bool:
        """Whether it may count as success though it isn't."""
        return self.status not in GOOD and not self.is_overridden

    @property
    def needs_reason(self) -> bool:
        """Whether nobody says yet why it is all right."""
        return self.status in NEEDS_REASON and not self.is_overridden and not self.is_explained

    @property
    def is_missed(self) -> bool:
        return self.source is RunSource.MISSED


@dataclass(frozen=True, kw_only=True, slots=True)
class Changes:
    """What is different from the last success before this run."""

    since: datetime
    worse: tuple[str, ...]  # good then, not good now
    new: tuple[str, ...]  # not there then


def newest_run_to_show(db: Session, job_id: int) -> int | None:
    """Return the run a job's panel opens with: the newest that waits for a review, else the newest."""
    return db.scalar(
        select(JobRun.id).where(JobRun.job_id == job_id, _IS_WHOLE).order_by(~waits_for_review(), *_NEWEST).limit(1)
    )


def listed_runs(db: Session, job_id: int) -> tuple[RunInList, ...]:
    """Return the job's last runs, newest first; each that waits for a review is among them."""
    newest = select(JobRun.id).where(JobRun.job_id == job_id, _IS_WHOLE).order_by(*_NEWEST).limit(LISTED_RUNS)
    rows = db.execute(
        select(
            JobRun.id.label("run_id"),
            JobRun.run_at,
            JobRun.source,
            JobRun.status,
            is_overridden().label("is_overridden"),
            JobRun.verdict_version,
            JobRun.is_late,
            JobRun.recovered_on,
            JobRun.reviewed_at.is_not(None).label("reviewed"),
            waits_for_review().label("waits"),
            is_explained().label("is_explained"),
        )
        .where(JobRun.job_id == job_id, or_(JobRun.id.in_(newest), waits_for_review()))
        .order_by(*_NEWEST)
    )
    return tuple(RunInList(**row._asdict()) for row in rows)


def last_good_at(db: Session, run: JobRun) -> datetime | None:
    """Return when the job was last good before `run`."""
    good = (JobRun.raw_status.in_(RESTORABLE), _IS_WHOLE, JobRun.run_at < run.run_at)
    return db.scalar(select(func.max(JobRun.run_at)).where(JobRun.job_id == run.job_id, *good))


def same_error_at(db: Session, run: JobRun) -> datetime | None:
    """Return when the run just before came, if it said the same; what never came says nothing."""
    if run.status in GOOD or not run.message or run.reading_id is None:
        return None
    before = db.execute(
        select(JobRun.run_at, JobRun.message, JobRun.status)
        .where(JobRun.job_id == run.job_id, _IS_WHOLE, JobRun.run_at < run.run_at)
        .order_by(*_NEWEST)
        .limit(1)
    ).one_or_none()
    same = before is not None and (before.message, before.status) == (run.message, run.status)
    return before.run_at if before is not None and same else None


def changes_since_success(db: Session, run: JobRun) -> Changes | None:
    """Return how the run's objects differ from those of the last success before it, where both have some."""
    success = db.scalar(
        select(JobRun)
        .where(JobRun.job_id == run.job_id, _IS_WHOLE, JobRun.status == Status.SUCCESS, JobRun.run_at < run.run_at)
        .order_by(*_NEWEST)
        .limit(1)
    )
    if success is None or success.reading_id is None or run.reading_id is None:
        return None
    now = statuses_of_run(db, run)
    if not now:
        return None
    before = {fold(name): status for name, status in statuses_of_run(db, success)}
    return Changes(
        since=success.run_at,
        worse=tuple(name for name, status in now if status not in GOOD and before.get(fold(name)) in GOOD),
        new=tuple(name for name, _ in now if fold(name) not in before),
    )
