"""Which slot a run answers, and of how many attempts it is the result."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from shared.domain.status import Status
from shared.models.jobs import JobRun
from shared.models.mail import MailMessage, MailReading
from shared.models.schedules import JobSlot
from shared.models.users import User


@dataclass(frozen=True, kw_only=True, slots=True)
class SlotOfRun:
    """The moment at which the run was due, and when its grace ended; `is_silence` where only silence is watched."""

    at: datetime
    deadline: datetime
    is_silence: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class Answered:
    """The missed run that this one answers too late: somebody had reviewed it."""

    run_id: int
    slot_at: datetime
    reviewed_by: str | None


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptRow:
    """One mail of a run: when it came and what it said itself."""

    run_at: datetime
    status: Status
    message: str
    mail_id: int | None
    subject: str


def slot_of(db: Session, run: JobRun) -> SlotOfRun | None:
    """Return the slot that the run answers, or that it says was missed."""
    row = db.execute(
        select(JobSlot.slot_at, JobSlot.deadline, JobSlot.is_silence)
        .where(JobSlot.job_id == run.job_id, or_(JobSlot.run_id == run.id, JobSlot.slot_at == run.slot_at))
        .order_by(JobSlot.slot_at)
        .limit(1)
    ).one_or_none()
    return SlotOfRun(at=row[0], deadline=row[1], is_silence=row[2]) if row else None


def answered_by(db: Session, run: JobRun) -> Answered | None:
    """Return the missed run that `run` came too late for."""
    if run.late_for_id is None:
        return None
    name = func.coalesce(func.nullif(User.display_name, ""), User.username)
    row = db.execute(
        select(JobRun.id, JobRun.run_at, name)
        .outerjoin(User, User.id == JobRun.reviewed_by)
        .where(JobRun.id == run.late_for_id)
    ).one()
    return Answered(run_id=row[0], slot_at=row[1], reviewed_by=row[2])


def attempts_of(db: Session, run: JobRun) -> tuple[AttemptRow, ...]:
    """Return the mails that make up the run, in order of time; nothing when it is a single one."""
    rows = db.execute(
        select(
            JobRun.run_at,
            JobRun.status,
            MailReading.status,
            MailReading.id.is_not(None),
            func.left(JobRun.message, 300),
            MailMessage.id,
            MailMessage.subject,
            JobRun.attempt_of_id,
        )
        .outerjoin(MailReading, MailReading.id == JobRun.reading_id)
        .outerjoin(MailMessage, MailMessage.id == MailReading.mail_id)
        .where(or_(JobRun.id == run.id, JobRun.attempt_of_id == run.id))
        .order_by(JobRun.run_at, JobRun.id)
    ).all()
    if len(rows) == 1:
        return ()
    return tuple(
        AttemptRow(
            run_at=run_at,
            # The run itself carries the verdict of all, its reading what its own mail said.
            status=(said or Status.UNREADABLE) if has_reading and attempt_of is None else status,
            message="" if attempt_of is None else message,
            mail_id=mail_id,
            subject=subject or "",
        )
        for run_at, status, said, has_reading, message, mail_id, subject, attempt_of in rows
    )
