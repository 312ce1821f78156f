"""A person says that a vanished object was removed on purpose; the run's verdict follows."""

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from shared.domain.typed_text import tidy_text
from shared.models.jobs import JobRun, VanishedObject
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput, NotFound
from shared.services.judge_run import judge_again
from shared.services.record_run import lock_jobs

LONGEST_REASON = 300


def confirm_removed(db: Session, run_id: int, name: str, *, actor: Actor, reason: str, now: datetime) -> int:
    """Confirm `name` as removed in every open finding of the job of `run_id`; return how many runs changed."""
    name, reason = tidy_text(name), tidy_text(reason)
    if not reason:
        raise BadInput("Say why it is right that this object is gone.")
    if len(reason) > LONGEST_REASON:
        raise BadInput(f"Say it in at most {LONGEST_REASON} characters.")
    job_id = db.scalar(select(JobRun.job_id).where(JobRun.id == run_id))
    if job_id is not None:
        lock_jobs(db, [job_id])  # its runs are judged again, and mails judge them too
    confirmed = db.scalars(
        update(VanishedObject)
        .where(
            VanishedObject.run_id.in_(select(JobRun.id).where(JobRun.job_id == job_id)),
            func.lower(VanishedObject.name) == name.lower(),
            VanishedObject.confirmed_at.is_(None),
        )
        .values(confirmed_at=now, confirmed_by=actor.person_id, reason=reason)
        .returning(VanishedObject.run_id)
    ).all()
    if not confirmed:
        raise NotFound("This finding is gone: somebody else has confirmed it, or the object is back.")
    changed = sum(judge_again(db, each) for each in sorted(set(confirmed)))
    record_act(
        db,
        actor,
        "object.removed",
        subject_type="job",
        subject_id=job_id,
        after={"object": name, "reason": reason},
        now=now,
    )
    return changed
