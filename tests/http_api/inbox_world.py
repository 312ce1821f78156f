"""Mails that wait, committed, and what became of them."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from shared import clock
from shared.db.session import transaction
from shared.domain.mailflow import Ending
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.mail import MailMessage, MailReading
from tests.builders import arrive
from tests.mails import report_mail, rubbish_mail


def came_in(raw: bytes, name: str = "") -> int:
    """Import a mail now and return its id."""
    with transaction() as db:
        return arrive(db, raw, name, now=clock.now()).mail_id


def report(job: str = "Nightly", *, nights_ago: float = 1, **facts: str) -> int:
    """Let a report of some night wait; return the mail's id."""
    return came_in(report_mail(job, sent_at=night(nights_ago), **facts))  # type: ignore[arg-type]


def rubbish(subject: str = "Lunch?", *, nights_ago: float = 1) -> int:
    return came_in(rubbish_mail(subject, sent_at=night(nights_ago)))


def night(ago: float) -> datetime:
    return (clock.now() - timedelta(days=ago)).replace(microsecond=0)


def readings(mail_id: int) -> list[MailReading]:
    with transaction() as db:
        query = select(MailReading).where(MailReading.mail_id == mail_id).order_by(MailReading.number)
        return list(db.scalars(query))


def reading_of(mail_id: int) -> int:
    return readings(mail_id)[0].id


def outcome(mail_id: int) -> Ending:
    return readings(mail_id)[0].outcome


def stored_mail(mail_id: int) -> MailMessage:
    with transaction() as db:
        return db.get_one(MailMessage, mail_id)


def runs_by_job() -> dict[str, int]:
    """Return how many runs each job has, as `customer › job`."""
    with transaction() as db:
        counted = (
            select(Customer.name, Job.job_name, func.count(JobRun.id))
            .join(Job, Job.customer_id == Customer.id)
            .outerjoin(JobRun, JobRun.job_id == Job.id)
            .group_by(Job.id, Customer.id)
            .order_by(Job.id)
        )
        return {f"{row[0]} › {row[1]}": row[2] for row in db.execute(counted)}


def run_of(mail_id: int) -> int:
    with transaction() as db:
        mine = select(JobRun.id).join(MailReading, MailReading.id == JobRun.reading_id)
        return db.scalars(mine.where(MailReading.mail_id == mail_id)).one()
