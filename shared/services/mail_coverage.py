"""Until when everything that a source has to say is known here: later than that, silence proves nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import func, lateral, select, true
from sqlalchemy.orm import Session

from shared.domain.mailflow import Source
from shared.models.jobs import Job, JobRun
from shared.models.mail import MailMessage, MailReading
from shared.models.mailbox import MailArrival, MailboxRow
from shared.models.system import ImportCycle
from shared.settings import settings

GIVEN_UP = timedelta(days=1)  # so long nobody read a source while another one was read


def covered_until(db: Session, source: Source, mailbox_id: int | None = None) -> datetime | None:
    """Return until when each mail that the source received has an outcome, None when it was never read to its end.

    A read that reached the end of every folder covers the source up to its start; a mail that came in by it and still
    waits to be imported takes that back to when it was received. What people upload covers nothing.
    """
    whole_read = select(func.max(ImportCycle.started_at)).where(
        ImportCycle.source == source, ImportCycle.mailbox_id.is_not_distinct_from(mailbox_id), ImportCycle.complete
    )
    oldest_waiting = select(func.min(MailArrival.received_at)).where(MailArrival.mailbox_id == mailbox_id)
    # LEAST leaves out what is null, and there must have been a read.
    return db.scalar(
        select(func.least(whole_read.scalar_subquery(), oldest_waiting.scalar_subquery())).where(
            whole_read.scalar_subquery().is_not(None)
        )
    )


def coverage(db: Session, source: Source) -> datetime | None:
    """Return until when all mails of a source are in: of the mailbox that is read now, where it is a mailbox."""
    if source is not Source.GRAPH:
        return covered_until(db, source)
    mailbox_id = db.scalar(select(MailboxRow.id).where(MailboxRow.address == settings().graph_mailbox))
    return covered_until(db, source, mailbox_id) if mailbox_id is not None else None


def coverage_of_jobs(db: Session, job_ids: Sequence[int]) -> dict[int, datetime | None]:
    """Return until when all mails are in that could be of these jobs: those of the source of their last mails.

    A source that nobody reads any more brings none: since then the one that is read would. Leave out jobs whose mails
    were only ever uploaded.
    """
    sources = _sources(db, job_ids)
    reached = {source: _reached(db, source) for source in set(sources.values())}
    return {job_id: reached[source] for job_id, source in sources.items()}


def _reached(db: Session, source: Source) -> datetime | None:
    own = coverage(db, source)
    read_now = Source.GRAPH if settings().graph_mailbox else Source.FOLDER
    if source is read_now or (other := coverage(db, read_now)) is None:
        return own
    return other if own is None or own < other - GIVEN_UP else own


def _sources(db: Session, job_ids: Sequence[int]) -> dict[int, Source]:
    """Return how the last mail of each job came in that did so by itself."""
    last = lateral(
        select(MailMessage.source)
        .select_from(JobRun)
        .join(MailReading, MailReading.id == JobRun.reading_id)
        .join(MailMessage, MailMessage.id == MailReading.mail_id)
        .where(JobRun.job_id == Job.id, MailMessage.source.in_((Source.GRAPH, Source.FOLDER)))
        .order_by(JobRun.run_at.desc())
        .limit(1)
    )
    query = select(Job.id, last.c.source).join(last, true()).where(Job.id.in_(job_ids))
    return {row[0]: Source(row[1]) for row in db.execute(query)}
