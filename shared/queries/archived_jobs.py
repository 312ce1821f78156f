"""The archive of jobs, and which of them still send mails."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending
from shared.models.jobs import Job
from shared.models.mail import MailMessage, MailReading
from shared.queries.jobs import JobRow, archived_jobs
from shared.queries.rows import Page


@dataclass(frozen=True, kw_only=True, slots=True)
class StillReporting:
    """The mails of a job that came since it was archived and made no run."""

    mails: int = 0
    last_at: datetime | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ArchivedRow:
    """One job of the archive."""

    job: JobRow
    reporting: StillReporting


def archive(db: Session, page: int, text: str = "") -> Page[ArchivedRow]:
    """Return one page of the archive, by customer."""
    found = archived_jobs(db, page, text)
    reporting = still_reporting(db, [job.job_id for job in found.rows])
    rows = tuple(ArchivedRow(job=job, reporting=reporting.get(job.job_id, StillReporting())) for job in found.rows)
    return Page(rows=rows, number=found.number, total=found.total)


def still_reporting(db: Session, job_ids: Collection[int]) -> dict[int, StillReporting]:
    """Return what the archived ones of these jobs still send; jobs that fell silent are absent."""
    found = db.execute(
        select(Job.id, func.count(), func.max(MailMessage.received_at))
        .join(MailReading, MailReading.job_id == Job.id)
        .join(MailMessage, MailMessage.id == MailReading.mail_id)
        .where(
            Job.id.in_(job_ids),
            MailReading.outcome == Ending.ARCHIVED,
            MailMessage.imported_at >= Job.archived_at,
        )
        .group_by(Job.id)
    )
    return {job_id: StillReporting(mails=mails, last_at=last) for job_id, mails, last in found}
