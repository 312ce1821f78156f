"""Marks the runs from before the go-live date as history: they teach schedules, and nobody needs to review them.

The mark follows the date alone. What was reviewed stays reviewed, and comes back to nobody when the date moves.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, DateTime, Select, cast, func, select, update
from sqlalchemy.orm import Session, aliased

from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.system import SystemSettings
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput
from shared.services.record_run import lock_jobs

OLDEST_GO_LIVE = date(2000, 1, 1)
GO_LIVE_AHEAD = timedelta(days=366)


@dataclass(frozen=True, kw_only=True, slots=True)
class Marked:
    """How many runs need no review any more, and how many need one again; those reviewed already are in neither."""

    settled: int
    waiting: int


def mark_history(db: Session, customer_ids: Sequence[int] | None, *, actor: Actor, now: datetime) -> Marked:
    """Mark the runs of these customers, or of all, by the go-live dates as they are now. Harmless to repeat."""
    jobs = select(Job.id).where(Job.customer_id.in_(customer_ids)) if customer_ids is not None else select(Job.id)
    whose = {"customers": list(customer_ids) if customer_ids is not None else "all"}
    return _mark(db, jobs, whose, actor=actor, now=now)


def mark_history_of_job(db: Session, job_id: int, *, actor: Actor, now: datetime) -> Marked:
    """Mark the runs of one job by the go-live date of the customer that it has now. Harmless to repeat."""
    return _mark(db, select(Job.id).where(Job.id == job_id), {"jobs": [job_id]}, actor=actor, now=now)


def _mark(db: Session, jobs: Select[int], whose: dict[str, Any], *, actor: Actor, now: datetime) -> Marked:
    lock_jobs(db, db.scalars(jobs).all())
    is_history, of_jobs = _is_history(), JobRun.job_id.in_(jobs)
    wrong = select(JobRun.id, is_history.label("is_history")).join(Job).join(Customer).where(of_jobs)
    changed = wrong.where(JobRun.is_history != is_history).subquery()
    rows = db.execute(
        update(JobRun)
        .where(JobRun.id == changed.c.id)
        .values(is_history=changed.c.is_history)
        .returning(JobRun.is_history, JobRun.reviewed_at.is_(None) & JobRun.attempt_of_id.is_(None))
        .execution_options(synchronize_session=False)
    ).all()
    done = Marked(
        settled=sum(is_past and is_open for is_past, is_open in rows),
        waiting=sum(is_open and not is_past for is_past, is_open in rows),
    )
    if rows:
        facts = {**whose, "settled": done.settled, "waiting": done.waiting}
        record_act(db, actor, "history.marked", subject_type="runs", subject_id=None, after=facts, now=now)
    return done


def go_live_day(text: str, *, today: date) -> date | None:
    """Return the day that somebody typed as a go-live date, None where he typed none. Raise BadInput."""
    if not text.strip():
        return None
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        raise BadInput("Say which day as YYYY-MM-DD, or leave it empty.", field="go_live_on") from None
    if not OLDEST_GO_LIVE <= day <= today + GO_LIVE_AHEAD:
        words = f"A day from {OLDEST_GO_LIVE.year} on, and at most a year ahead, please."
        raise BadInput(words, field="go_live_on")
    return day


def _is_history() -> ColumnElement[bool]:
    """Whether a run, with all its attempts, came before its customer's go-live date began there."""
    attempt = aliased(JobRun)
    last_attempt = select(func.max(attempt.run_at)).where(attempt.attempt_of_id == JobRun.id).scalar_subquery()
    default_day, default_zone = (
        select(column).scalar_subquery() for column in (SystemSettings.go_live_on, SystemSettings.ui_time_zone)
    )
    day = func.coalesce(Customer.go_live_on, default_day)
    begins = func.timezone(func.coalesce(Customer.time_zone, default_zone), cast(day, DateTime))
    return func.coalesce(func.coalesce(last_attempt, JobRun.run_at) < begins, False)
