"""Missed runs that follow each other: since when nothing came, and whether something came again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, BigInteger, DateTime, Select, cast, column, func, select
from sqlalchemy.orm import Session

from shared.domain.run import RunSource
from shared.models.jobs import JobRun
from shared.models.schedules import JobSchedule

CAME = (RunSource.MAIL, RunSource.PUSHED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Streak:
    """The newest missed slots of a job between which nothing came, and how many `earlier` ones there are.

    A job that was silent for so long that its slots make no runs any more is stopped.
    """

    since: datetime
    slots: int
    earlier: int
    last_came_at: datetime | None
    came_again_at: datetime | None
    is_stopped: bool


Newest = tuple[int, datetime]  # a job, and the newest of the missed slots that one row shows of it


def streaks(db: Session, missed: Mapping[Newest, Sequence[datetime]]) -> dict[Newest, Streak]:
    """Return the newest streak of each row's missed slots, of which `missed` has the times, newest first."""
    if not missed:
        return {}
    found = {}
    for job_id, newest, came_before, came_after, is_stopped in db.execute(_around(list(missed))):
        times = missed[job_id, newest]
        of_streak = [at for at in times if came_before is None or at > came_before]
        found[job_id, newest] = Streak(
            since=of_streak[-1],
            slots=len(of_streak),
            earlier=len(times) - len(of_streak),
            last_came_at=came_before,
            came_again_at=came_after,
            is_stopped=is_stopped and came_after is None,
        )
    return found


def _around(newest: Sequence[Newest]) -> Select[int, datetime, datetime | None, datetime | None, bool]:
    """Return the statement for the last report before each newest missed slot, and the first one after it."""
    jobs, moments = zip(*newest, strict=True)
    columns = (column("job_id", BigInteger), column("at", DateTime(timezone=True)))
    arrays = (cast(list(jobs), ARRAY(BigInteger)), cast(list(moments), ARRAY(DateTime(timezone=True))))
    asked = func.unnest(*arrays).table_valued(*columns, name="asked").render_derived()
    came = select(JobRun.run_at).where(JobRun.job_id == asked.c.job_id, JobRun.source.in_(CAME)).limit(1)
    before = came.where(JobRun.run_at <= asked.c.at).order_by(JobRun.run_at.desc(), JobRun.id.desc())
    after = came.where(JobRun.run_at > asked.c.at).order_by(JobRun.run_at, JobRun.id)
    is_stopped = JobSchedule.stopped_at.is_not(None)
    return select(
        asked.c.job_id, asked.c.at, before.scalar_subquery(), after.scalar_subquery(), is_stopped
    ).outerjoin_from(asked, JobSchedule, JobSchedule.job_id == asked.c.job_id)
