"""The ledger: for each day how many mails came in and how each of their readings ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, and_, func, select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Ending, Source
from shared.models.mail import MailMessage, MailReading
from shared.models.mailbox import MailArrival
from shared.queries.rows import PAGE_SIZE, Page, existing_page


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerDay:
    """One import day in the zone of the pages. `unaccounted` counts mails without any outcome: always none.

    `being_read` counts mails that a mailbox handed over that day and whose import is still to come.
    """

    day: date
    mails: int
    being_read: int
    unaccounted: int
    outcomes: Mapping[Ending, int]

    @property
    def fetched(self) -> int:
        return self.mails + self.being_read

    @property
    def readings(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True, kw_only=True, slots=True)
class LedgerMail:
    """One reading behind a figure of the ledger, with its mail."""

    mail_id: int
    subject: str
    from_address: str
    from_name: str
    received_at: datetime
    imported_at: datetime
    source: Source
    outcome: Ending | None
    reason: str
    duplicate_of_id: int | None
    duplicate_undone: bool


@dataclass(frozen=True, slots=True)
class Days:
    """The days from `first` to `last` in a zone, as the instants between which mails came in."""

    first: date
    last: date
    zone: ZoneInfo

    @classmethod
    def until(cls, last: date, number: int, zone: ZoneInfo) -> "Days":
        """Return the `number` days that end with `last`."""
        return cls(last - timedelta(days=number - 1), last, zone)

    @property
    def start(self) -> datetime:
        return datetime.combine(self.first, datetime.min.time(), self.zone)

    @property
    def end(self) -> datetime:
        return datetime.combine(self.last + timedelta(days=1), datetime.min.time(), self.zone)

    def newest_first(self) -> list[date]:
        return [self.last - timedelta(days=number) for number in range((self.last - self.first).days + 1)]


def ledger_day(db: Session, day: date, zone: ZoneInfo) -> LedgerDay:
    """Return one day's figures."""
    return ledger(db, Days(day, day, zone))[0]


def ledger(db: Session, days: Days) -> list[LedgerDay]:
    """Return the figures of each day, newest first, of those without mails too."""
    day = func.date(func.timezone(days.zone.key, MailMessage.imported_at))
    within = (MailMessage.imported_at >= days.start, MailMessage.imported_at < days.end)
    counted = (
        select(day, MailReading.outcome, func.count())
        .outerjoin(MailReading, MailReading.mail_id == MailMessage.id)
        .where(*within)
        .group_by(day, MailReading.outcome)
    )
    mails: dict[date, int] = {
        row[0]: row[1] for row in db.execute(select(day, func.count()).where(*within).group_by(day))
    }
    being_read = _being_read(db, days)
    outcomes: dict[date, dict[Ending | None, int]] = {}
    for when, outcome, readings in db.execute(counted):
        outcomes.setdefault(when, {})[outcome] = readings
    return [
        LedgerDay(
            day=each,
            mails=mails.get(each, 0),
            being_read=being_read.get(each, 0),
            unaccounted=outcomes.get(each, {}).get(None, 0),
            outcomes={ending: outcomes.get(each, {}).get(ending, 0) for ending in Ending},
        )
        for each in days.newest_first()
    ]


def ledger_mails(db: Session, outcome: Ending | None, page: int, *, days: Days | None = None) -> Page[LedgerMail]:
    """Return the mails behind a figure, last imported first: a row a reading, or without an outcome a row a mail."""
    query = _ledger_mails(outcome)
    if days is not None:
        query = query.where(MailMessage.imported_at >= days.start, MailMessage.imported_at < days.end)
    total = db.scalar(select(func.count()).select_from(query.subquery())) or 0
    number = existing_page(page, total)
    found = db.execute(
        query.order_by(MailMessage.imported_at.desc(), MailMessage.id.desc(), MailReading.number)
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    ).all()
    return Page(rows=tuple(LedgerMail(**row._asdict()) for row in found), number=number, total=total)


def _being_read(db: Session, days: Days) -> dict[date, int]:
    day = func.date(func.timezone(days.zone.key, MailArrival.arrived_at))
    within = (MailArrival.arrived_at >= days.start, MailArrival.arrived_at < days.end)
    return {row[0]: row[1] for row in db.execute(select(day, func.count()).where(*within).group_by(day))}


def _ledger_mails(outcome: Ending | None) -> Select[*tuple[Any, ...]]:
    of_mail = MailReading.mail_id == MailMessage.id
    query = select(
        MailMessage.id.label("mail_id"),
        MailMessage.subject,
        MailMessage.from_address,
        MailMessage.from_name,
        MailMessage.received_at,
        MailMessage.imported_at,
        MailMessage.source,
        MailReading.outcome,
        func.coalesce(MailReading.reason, "").label("reason"),
        MailMessage.duplicate_of_id,
        MailMessage.duplicate_undone,
    )
    if outcome is None:
        return query.outerjoin(MailReading, and_(of_mail, MailReading.number == 0))
    return query.join(MailReading, of_mail).where(MailReading.outcome == outcome)
