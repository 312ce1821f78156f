"""How an import that somebody asked for goes on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending, Source
from shared.models.mail import MailMessage, MailReading
from shared.models.mailbox import MailArrival
from shared.models.system import ImportCycle, SystemSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportProgress:
    """A read and what became of its mails so far. `being_read` counts those fetched whose import is to come."""

    started_at: datetime
    finished_at: datetime | None
    complete: bool
    error: str
    fetched: int
    new: int
    outcomes: Mapping[Ending, int]
    being_read: int
    batch: int

    @property
    def is_over(self) -> bool:
        return self.finished_at is not None and not self.being_read

    @property
    def took(self) -> timedelta | None:
        return self.finished_at - self.started_at if self.finished_at else None

    @property
    def reports(self) -> int:
        return sum(self.outcomes.values())

    @property
    def more(self) -> bool:
        """The read stopped at its limit: the next one goes on where it stopped."""
        return self.is_over and not self.complete and not self.error


def import_progress(db: Session, request_id: str) -> ImportProgress | None:
    """Return how the import that was asked for does; None while nobody has begun with it."""
    cycle = db.scalar(select(ImportCycle).where(ImportCycle.request_id == request_id))
    if cycle is None or not (cycle.counts or cycle.finished_at or cycle.source is not Source.GRAPH):
        return None
    return ImportProgress(
        started_at=cycle.started_at,
        finished_at=cycle.finished_at,
        complete=cycle.complete,
        error=cycle.error,
        fetched=cycle.counts.get("fetched", 0),
        new=cycle.counts.get("new", 0),
        outcomes=_outcomes(db, cycle),
        being_read=_being_read(db, cycle),
        batch=db.scalars(select(SystemSettings.manual_batch)).one(),
    )


def _outcomes(db: Session, cycle: ImportCycle) -> dict[Ending, int]:
    """Return how the mails of this read ended: of all that were imported since it began, as many as it brought."""
    mails = (
        select(MailMessage.id)
        .where(MailMessage.imported_at >= cycle.started_at, MailMessage.source == cycle.source)
        .order_by(MailMessage.imported_at, MailMessage.id)
    )
    if cycle.finished_at is not None:
        mails = mails.limit(cycle.counts.get("new", 0))
    counted = (
        select(MailReading.outcome, func.count())
        .where(MailReading.mail_id.in_(mails.scalar_subquery()))
        .group_by(MailReading.outcome)
    )
    found: dict[Ending, int] = {row[0]: row[1] for row in db.execute(counted)}
    return {ending: found[ending] for ending in Ending if ending in found}


def _being_read(db: Session, cycle: ImportCycle) -> int:
    if cycle.source is not Source.GRAPH:
        return 0
    arrivals = select(func.count()).select_from(MailArrival).where(MailArrival.arrived_at >= cycle.started_at)
    if cycle.finished_at is not None:
        arrivals = arrivals.where(MailArrival.arrived_at <= cycle.finished_at)
    return db.scalar(arrivals) or 0
