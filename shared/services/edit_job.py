"""Moves, archives and deletes jobs."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from shared.domain.mailflow import Location
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.mail import MailMessage, MailReading
from shared.services.audit import Actor, record_act
from shared.services.errors import Conflict, NotFound
from shared.services.keep_slots import keep_slots
from shared.services.mark_history import mark_history_of_job
from shared.services.remarks import end_remarks_of_job, end_remarks_with_job
from shared.services.tickets import end_scopes_of_job, end_tickets_with_job
from shared.services.watch_again import watch_again


def move_job(db: Session, job_id: int, customer_id: int, *, actor: Actor, now: datetime) -> None:
    """Give the job to another customer; its tickets and remarks end for it. Raise NotFound or Conflict."""
    job = _locked(db, job_id)
    if job.customer_id == customer_id:
        raise Conflict("This job is that customer's already.")
    if (to := db.get(Customer, customer_id)) is None:
        raise NotFound("This customer doesn't exist (any more).")
    of = db.get_one(Customer, job.customer_id)
    ended = end_scopes_of_job(db, job_id, now=now)  # first: an open scope names the job's customer
    end_remarks_of_job(db, job_id, now=now)
    before, job.customer_id = job.customer_id, customer_id
    db.flush()  # its slots follow the new customer's zone and closed days
    if of.active:
        keep_slots(db, [job_id], now=now)
    else:
        watch_again(db, [job_id], now=now)
    if (of.go_live_on, of.time_zone) != (to.go_live_on, to.time_zone):
        mark_history_of_job(db, job_id, actor=actor, now=now)
    record_act(
        db,
        actor,
        "job.moved",
        subject_type="job",
        subject_id=job_id,
        before={"customer": before},
        after={"customer": customer_id, **({"tickets_ended": ended} if ended else {})},
        now=now,
    )


def archive_job(db: Session, job_id: int, *, actor: Actor, now: datetime) -> None:
    """Archive the job: its mails make no runs any more. Raise NotFound or Conflict."""
    job = _locked(db, job_id)
    if job.archived_at is not None:
        raise Conflict("This job is archived already.")
    job.archived_at, job.archived_by = now, actor.person_id
    record_act(db, actor, "job.archived", subject_type="job", subject_id=job_id, now=now)


def unarchive_job(db: Session, job_id: int, *, actor: Actor, now: datetime) -> None:
    """Take the job out of the archive. Raise NotFound or Conflict."""
    job = _locked(db, job_id)
    if job.archived_at is None:
        raise Conflict("This job isn't archived.")
    job.archived_at, job.archived_by = None, None
    db.flush()  # it is watched again
    watch_again(db, [job_id], now=now)
    record_act(db, actor, "job.unarchived", subject_type="job", subject_id=job_id, now=now)


def delete_job(db: Session, job_id: int, *, actor: Actor, now: datetime) -> None:
    """Delete an archived job with its runs, and end what is open for it alone.

    Its mails go to the deleted ones, so the ledger stays whole.
    """
    job = _locked(db, job_id)
    if job.archived_at is None:
        raise Conflict("Archive the job first; only archived jobs can be deleted.")
    runs_by_mail = select(MailReading.mail_id).join(JobRun, JobRun.reading_id == MailReading.id)
    db.execute(
        update(MailMessage)
        .where(
            MailMessage.id.in_(runs_by_mail.where(JobRun.job_id == job_id)),
            MailMessage.id.not_in(runs_by_mail.where(JobRun.job_id != job_id)),  # a digest: other jobs still show it
            MailMessage.location == Location.PROCESSED,
        )
        .values(location=Location.DELETED, deleted_at=now, deleted_by=actor.person_id, delete_reason="job deleted")
    )
    end_tickets_with_job(db, job_id, actor=actor, now=now)
    end_remarks_with_job(db, job_id, actor=actor, now=now)
    facts = {"name": job.job_name, "customer": job.customer_id}
    db.execute(delete(Job).where(Job.id == job_id))
    record_act(db, actor, "job.deleted", subject_type="job", subject_id=job_id, before=facts, now=now)


def _locked(db: Session, job_id: int) -> Job:
    job = db.get(Job, job_id, with_for_update=True, populate_existing=True)
    if job is None:
        raise NotFound("This job doesn't exist (any more).")
    return job
