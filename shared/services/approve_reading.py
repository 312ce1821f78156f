"""A person gives a waiting reading its job: a new one of a customer, or one that exists."""

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.orm import Session

from shared.domain.job_key import JobKey, KeyStanding
from shared.domain.mailflow import Ending, InboxReason, Location
from shared.domain.reading import Kind
from shared.domain.run import MatchedBy
from shared.models.customers import Customer
from shared.models.jobs import Job, JobKeyRow
from shared.models.mail import MailMessage, MailReading
from shared.models.schedules import JobSchedule
from shared.parsers.registry import parser_named
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.find_job import serves_others
from shared.services.record_run import record_mail_run
from shared.services.stored_mail import stored_facts, stored_key

_LOCK = 7_301_002  # any constant: locks of this kind don't meet those of others


@dataclass(frozen=True, kw_only=True, slots=True)
class NewJob:
    """Make a job of this customer. `job_name` names it where the mail doesn't.

    `vouched`: the person says that no other customer of this sender uses the name.
    """

    customer_id: int
    job_name: str = ""
    vouched: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ExistingJob:
    """Attach the reading to this job; `vouched` as for a new one."""

    job_id: int
    vouched: bool = False


@dataclass(frozen=True, slots=True)
class Approved:
    """The job, and how many readings became its runs."""

    job_id: int
    runs: int


def approve_reading(
    db: Session,
    reading_id: int,
    to: NewJob | ExistingJob,
    *,
    actor: Actor,
    now: datetime,
    and_all_waiting: bool = False,
) -> Approved:
    """Give the reading to a job and make its run; with `and_all_waiting` also those with the same key.

    Raise NotFound, Conflict (somebody settled it already) or BadInput.
    """
    reading = _waiting_reading(db, reading_id)
    if and_all_waiting:
        _refuse_a_guess(db, reading, to)
    job = _new_job(db, reading, to, actor) if isinstance(to, NewJob) else _existing_job(db, to.job_id)
    _add_key(db, job, reading, vouched=to.vouched)
    readings = [reading, *(_same_key(db, reading) if and_all_waiting else ())]
    for each in sorted(readings, key=lambda row: row.id):
        _make_run(db, each, job.id)
    record_act(
        db,
        actor,
        "reading.approved",
        subject_type="job",
        subject_id=job.id,
        after={"readings": [r.id for r in readings]},
        now=now,
    )
    return Approved(job.id, len(readings))


def _waiting_reading(db: Session, reading_id: int) -> MailReading:
    found = db.get(MailReading, reading_id, populate_existing=True)
    if found is None:
        raise NotFound("This mail is gone.")
    # Whoever approves a mail of the same key waits here, and then sees what became of it.
    db.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("|".join(astuple(stored_key(found))), _LOCK))))
    reading = db.get(MailReading, reading_id, with_for_update=True, populate_existing=True)
    if reading is None:
        raise NotFound("This mail is gone.")
    if reading.outcome is not Ending.INBOX:
        raise Conflict("Somebody else has handled this mail already.")
    return reading


def _refuse_a_guess(db: Session, reading: MailReading, to: NewJob | ExistingJob) -> None:
    """Mails of a shared sender that state no origin look alike whoever they are of: nobody has seen all of them."""
    customer_id = to.customer_id if isinstance(to, NewJob) else _existing_job(db, to.job_id).customer_id
    if reading.origin or to.vouched or not serves_others(db, reading.from_address_key, customer_id):
        return
    raise BadInput(
        "This sender reports for several customers, and these mails don't say whose they are. Approve them one by "
        "one, or say that only this customer uses the name."
    )


def _new_job(db: Session, reading: MailReading, to: NewJob, actor: Actor) -> Job:
    if db.get(Customer, to.customer_id) is None:
        raise NotFound("This customer doesn't exist (any more).")
    if reading.status is None or reading.backup_software is None:
        raise BadInput("Nothing was read in this mail, so it can't start a job. Attach it to a job, or delete it.")
    name = " ".join((reading.job_name or to.job_name).split())
    if not name:
        raise BadInput("The mail names no job: give the job a name.")
    job = Job(
        customer_id=to.customer_id,
        backup_software=reading.backup_software,
        backup_type=reading.backup_type or "",
        job_name=name,
        kind=reading.kind or Kind.REGULAR,
        created_by=actor.user_id,
    )
    db.add(job)
    db.flush()  # the key and the runs need the job's id
    if reading.parser and (parser := parser_named(reading.parser)) and parser.sleeps:
        db.add(JobSchedule(job_id=job.id, sleeps=True))
    return job


def _existing_job(db: Session, job_id: int) -> Job:
    job = db.get(Job, job_id)
    if job is None:
        raise NotFound("This job doesn't exist (any more).")
    if job.archived_at is not None:
        raise Conflict("This job is archived. Take it out of the archive first.")
    return job


def _add_key(db: Session, job: Job, reading: MailReading, *, vouched: bool) -> None:
    """Teach the job this reading's key; a key that another job has is contested from now on."""
    if reading.backup_software is None or (reading.status is None and not reading.job_name):
        return  # what little was read would fit mails of any job
    key = stored_key(reading)
    known = db.scalar(select(JobKeyRow).where(*_is(key)).with_for_update())
    if known is None:
        standing = KeyStanding.VOUCHED if vouched else KeyStanding.PLAIN
        db.add(_key_row(job.id, key, reading.origin or "", standing))
        db.flush()  # two readings of one approval may share the key
    elif known.job_id != job.id:
        if key.origin:
            raise Conflict("Mails with this name and origin belong to another job already.")
        known.standing = KeyStanding.CONTESTED
    elif vouched:
        known.standing = KeyStanding.VOUCHED


def _key_row(job_id: int, key: JobKey, origin_shown: str, standing: KeyStanding) -> JobKeyRow:
    return JobKeyRow(
        job_id=job_id,
        from_address=key.from_address,
        backup_software=key.software,
        backup_type=key.backup_type,
        job_name=key.job_name,
        origin=key.origin,
        origin_shown=origin_shown,
        standing=standing,
    )


def _is(key: JobKey) -> list[ColumnElement[bool]]:
    return [
        JobKeyRow.from_address == key.from_address,
        JobKeyRow.backup_software == key.software,
        JobKeyRow.backup_type == key.backup_type,
        JobKeyRow.job_name == key.job_name,
        JobKeyRow.origin == key.origin,
    ]


def _same_key(db: Session, reading: MailReading) -> Sequence[MailReading]:
    """Return the other waiting readings with the same key, locked; unreadable ones have none to trust."""
    rows = db.scalars(
        select(MailReading)
        .where(
            MailReading.from_address_key == reading.from_address_key,
            MailReading.outcome == Ending.INBOX,
            MailReading.inbox_reason.in_((InboxReason.NEW_JOB, InboxReason.AMBIGUOUS)),
            MailReading.status.is_not(None),
            MailReading.id != reading.id,
        )
        .order_by(MailReading.id)
        .with_for_update()
    )
    key = stored_key(reading)
    return [row for row in rows if stored_key(row) == key]


def _make_run(db: Session, reading: MailReading, job_id: int) -> None:
    message = db.get_one(MailMessage, reading.mail_id)
    record_mail_run(
        db,
        job_id,
        reading_id=reading.id,
        matched_by=MatchedBy.PERSON,
        run_at=message.received_at,
        facts=stored_facts(db, reading),
    )
    reading.outcome, reading.inbox_reason, reading.job_id = Ending.RUN, None, job_id
    db.flush()  # the mail leaves the inbox once nothing of it waits
    leave_inbox_when_settled(db, message.id, job_id)


def leave_inbox_when_settled(db: Session, mail_id: int, job_id: int | None = None) -> None:
    """Move the mail out of the inbox unless one of its readings still waits."""
    waits = exists().where(MailReading.mail_id == mail_id, MailReading.outcome == Ending.INBOX)
    values: dict[str, object] = {"location": Location.PROCESSED}
    if job_id is not None:
        values["job_id"] = job_id
    db.execute(update(MailMessage).where(MailMessage.id == mail_id, ~waits).values(values))
