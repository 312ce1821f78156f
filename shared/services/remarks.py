"""Makes remarks on jobs, links them to runs, and ends them."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import exists, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from shared.domain.typed_text import tidy_text
from shared.models.jobs import Job
from shared.models.tickets import Remark, RemarkRun, RemarkScope
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.record_run import lock_jobs
from shared.services.ticketed_runs import WholeJobs, choose_runs

LONGEST = 4_000


def add_remark(db: Session, *, body: str, run_ids: Sequence[int] | WholeJobs, actor: Actor, now: datetime) -> int:
    """Make a remark about runs or about jobs, linked to what of them is bad, and return its id.

    Raise BadInput, NotFound.
    """
    words = _tidy(body)
    chosen = choose_runs(db, run_ids)
    remark = Remark(customer_id=chosen.customer_id, body=words, created_by=actor.user_id)
    db.add(remark)
    db.flush()  # its scopes need its id
    db.execute(insert(RemarkScope), [{"remark_id": remark.id, "job_id": job_id} for job_id in chosen.job_ids])
    if chosen.run_ids:
        db.execute(insert(RemarkRun), [{"remark_id": remark.id, "job_run_id": run_id} for run_id in chosen.run_ids])
    facts = {"body": words, "jobs": list(chosen.job_ids), "runs": list(chosen.run_ids)}
    _record(db, remark, "remark.made", facts, actor, now)
    return remark.id


def edit_remark(db: Session, remark_id: int, *, body: str, actor: Actor, now: datetime) -> None:
    """Change the words. Raise NotFound or BadInput."""
    remark = _locked(db, remark_id)
    before, remark.body = remark.body, _tidy(body)
    if remark.body != before:
        _record(db, remark, "remark.edited", {"body": [before, remark.body]}, actor, now)


def resolve_remark(db: Session, remark_id: int, *, actor: Actor, now: datetime) -> None:
    """End a remark for all its jobs. Raise NotFound or Conflict."""
    remark = _locked(db, remark_id)
    if remark.resolved_at is not None:
        raise Conflict("This remark is resolved already.")
    remark.resolved_at, remark.resolved_by = now, actor.user_id
    _record(db, remark, "remark.resolved", {}, actor, now)


def reopen_remark(db: Session, remark_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a remark up again, for the jobs that are still its customer's; it reaches runs made from now on.

    Raise NotFound or Conflict.
    """
    # First of all, so that none of them moves meanwhile.
    lock_jobs(db, db.scalars(select(RemarkScope.job_id).where(RemarkScope.remark_id == remark_id)).all())
    remark = _locked(db, remark_id)
    if remark.resolved_at is None:
        raise Conflict("This remark is open.")
    still_theirs = RemarkScope.job_id.in_(select(Job.id).where(Job.customer_id == remark.customer_id))
    of_remark = update(RemarkScope).where(RemarkScope.remark_id == remark_id, still_theirs).values(resolved_at=None)
    if not db.scalars(of_remark.returning(RemarkScope.id)).all():
        raise Conflict("It is about no job of its customer any more: make a new remark.")
    remark.resolved_at = remark.resolved_by = None
    _record(db, remark, "remark.reopened", {}, actor, now)


def end_remarks_of_job(db: Session, job_id: int, *, now: datetime) -> None:
    """End all remarks for a job that goes to another customer."""
    of_job = update(RemarkScope).where(RemarkScope.job_id == job_id, RemarkScope.resolved_at.is_(None))
    db.execute(of_job.values(resolved_at=now))


def end_remarks_with_job(db: Session, job_id: int, *, actor: Actor, now: datetime) -> None:
    """Resolve the remarks that are open for no other job than one that is about to be deleted."""
    other = aliased(RemarkScope)
    elsewhere = exists().where(other.remark_id == Remark.id, other.job_id != job_id, other.resolved_at.is_(None))
    of_job = select(RemarkScope.remark_id).where(RemarkScope.job_id == job_id)
    ends = select(Remark).where(Remark.id.in_(of_job), Remark.resolved_at.is_(None), ~elsewhere).order_by(Remark.id)
    for remark in db.scalars(ends.with_for_update().execution_options(populate_existing=True)):
        remark.resolved_at, remark.resolved_by = now, actor.user_id
        _record(db, remark, "remark.resolved", {"note": "its last open job was deleted"}, actor, now)


def _tidy(body: str) -> str:
    words = tidy_text(body)
    if not words or len(words) > LONGEST:
        raise BadInput(f"Type the remark, at most {LONGEST:,} characters.", field="body")
    return words


def _locked(db: Session, remark_id: int) -> Remark:
    remark = db.get(Remark, remark_id, with_for_update=True, populate_existing=True)
    if remark is None:
        raise NotFound("This remark doesn't exist (any more).")
    return remark


def _record(db: Session, remark: Remark, action: str, facts: Mapping[str, object], actor: Actor, now: datetime) -> None:
    record_act(db, actor, action, subject_type="remark", subject_id=remark.id, after=facts, now=now)
