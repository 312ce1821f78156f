"""Sources that fell silent: one row of Run Checks for the missed runs of many jobs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.reading import Kind
from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.models.schedules import SilentSource
from shared.queries.open_on_jobs import OpenOnJob, open_on_any
from shared.queries.run_checks_rows import JobRow, written


@dataclass(frozen=True, kw_only=True, slots=True)
class Silence:
    """A sender, or a customer, of which nearly all jobs fell silent; `jobs_watched` are those that a customer has."""

    silence_id: int
    from_address: str | None
    customer: str | None
    jobs_watched: int
    began_at: datetime
    last_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class SilenceRow:
    """A silence with the rows of its jobs, of which each holds only the missed runs that belong to it."""

    silence: Silence
    members: tuple[JobRow, ...]

    @property
    def key(self) -> str:
        """How an open page knows the row again; never the key of a job's row."""
        return f"s{self.silence.silence_id}"

    @property
    def seen(self) -> tuple[tuple[int, int], ...]:
        return tuple(pair for row in self.members for pair in row.seen)

    @property
    def pairs(self) -> str:
        return written(self.seen)

    @property
    def missed_runs(self) -> int:
        return sum(counted.count for row in self.members for counted in row.counts)

    @property
    def customers(self) -> int:
        return len({row.customer_id for row in self.members})

    @property
    def open(self) -> OpenOnJob:
        return open_on_any(row.open for row in self.members)

    @property
    def last_run_at(self) -> datetime:
        return max(row.last_run_at for row in self.members)


def silences(db: Session, silence_ids: Collection[int]) -> dict[int, Silence]:
    """Return the sources that fell silent, by id."""
    if not silence_ids:
        return {}
    watched = (
        select(func.count())
        .where(Job.customer_id == SilentSource.customer_id, Job.kind == Kind.REGULAR, Job.archived_at.is_(None))
        .scalar_subquery()
    )
    rows = db.execute(
        select(SilentSource, Customer.name, watched)
        .outerjoin(Customer, Customer.id == SilentSource.customer_id)
        .where(SilentSource.id.in_(silence_ids))
    )
    return {
        source.id: Silence(
            silence_id=source.id,
            from_address=source.from_address,
            customer=name,
            jobs_watched=jobs,
            began_at=source.began_at,
            last_at=source.last_at,
            ended_at=source.ended_at,
        )
        for source, name, jobs in rows
    }


def silence_row(silence: Silence, members: Sequence[JobRow]) -> SilenceRow:
    return SilenceRow(silence=silence, members=tuple(members))
