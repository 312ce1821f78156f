"""The ledger: for each day how many mails came in and how each of their readings ended."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending, Source
from shared.models.mail import MailMessage, MailReading
from shared.queries.rows import PAGE_SIZE, Page


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerDay:
    """One import day in the zone of the pages. `readings` is the sum of `outcomes`."""

    day: date
    fetched: int
    outcomes: dict[Ending, int]

    @property
    def readings(self) -> int:
        return sum(self.outcomes.values())


def ledger_day(db: Session, day: date, zone: ZoneInfo) -> LedgerDay:
    """Return one day's figures."""
    return next(iter(ledger(db, day, day, zone)))


def ledger(db: Session, first: date, last: date, zone: ZoneInfo) -> list[LedgerDay]:
    """Return the days from `first` to `last`, newest first, those without mails too."""
    start = datetime.combine(first, datetime.min.time(), zone)
    end = datetime.combine(last + timedelta(days=1), datetime.min.time(), zone)
    day = func.date(func.timezone(zone.key, MailMessage.imported_at))
    within = (MailMessage.imported_at >= start, MailMessage.imported_at < end)
    fetched: dict[date, int] = dict(db.execute(select(day, func.count()).where(*within).group_by(day)).tuples().all())
    outcomes: dict[date, dict[Ending, int]] = {}
    for when, outcome, count in db.execute(
        select(day, MailReading.outcome, func.count())
        .join(MailMessage, MailMessage.id == MailReading.mail_id)
        .where(*within)
        .group_by(day, MailReading.outcome)
    ):
        outcomes.setdefault(when, {})[outcome] = count
    days = (last - timedelta(days=number) for number in range((last - first).days + 1))
    return [
        LedgerDay(
            day=each,
            fetched=fetched.get(each, 0),
            outcomes={ending: outcomes.get(each, {}).get(ending, 0) for ending in Ending},
        )
        for each in days
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerMail:
    """One reading behind a figure of the ledger."""

    mail_id: int
    subject: str
    from_address: str
    received_at: datetime
    source: Source
    outcome: Ending
    reason: str
    duplicate_of_id: int | None
    duplicate_undone: bool


def ledger_mails(db: Session, outcome: Ending, page: int, *, day: date | None, zone: ZoneInfo) -> Page[LedgerMail]:
    """Return the mails with a reading of this outcome, newest first, of one day or of all."""
    conditions = [MailReading.outcome == outcome]
    if day is not None:
        start = datetime.combine(day, datetime.min.time(), zone)
        end = datetime.combine(day + timedelta(days=1), datetime.min.time(), zone)
        conditions += [MailMessage.imported_at >= start, MailMessage.imported_at < end]
    base = (
        select(
            MailMessage.id.label("mail_id"),
            MailMessage.subject,
            MailMessage.from_address,
            MailMessage.received_at,
            MailMessage.source,
            MailReading.outcome,
            MailReading.reason,
            MailMessage.duplicate_of_id,
            MailMessage.duplicate_undone,
        )
        .join(MailReading, MailReading.mail_id == MailMessage.id)
        .where(*conditions)
    )
    found = db.execute(
        base.order_by(MailMessage.imported_at.desc(), MailReading.id.desc())
        .limit(PAGE_SIZE)
        .offset((page - 1) * PAGE_SIZE)
    ).all()
    total = db.scalar(select(func.count()).select_from(base.subquery())) or 0
    return Page(rows=tuple(LedgerMail(**row._asdict()) for row in found), number=page, total=total)
