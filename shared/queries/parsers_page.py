"""The parsers: what each says of itself, an example, and what it has seen lately."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.models.mail import MailMessage, MailReading
from shared.parsers.contract import Parser
from shared.parsers.examples import Example, examples
from shared.parsers.registry import all_parsers

LATELY = timedelta(days=30)


@dataclass(frozen=True, kw_only=True, slots=True)
class Seen:
    """What came of one layout lately: how many mails, in how many of them a verdict was found, and the newest."""

    mails: int = 0
    read: int = 0
    last_at: datetime | None = None

    @property
    def rate(self) -> float | None:
        """The share of mails in which a verdict was found, or None without mails."""
        return self.read / self.mails if self.mails else None


@dataclass(frozen=True, kw_only=True, slots=True)
class ParserRow:
    """One parser."""

    parser: Parser
    example: Example | None
    seen: Seen


@dataclass(frozen=True, kw_only=True, slots=True)
class ParsersPage:
    """All parsers by software, and how many mails lately none of them knew."""

    rows: tuple[ParserRow, ...]
    unknown: int


def parsers_page(db: Session, now: datetime) -> ParsersPage:
    """Return what the page shows; the figures are of the mails that came in lately."""
    seen = _seen_since(db, now - LATELY)
    rows = (
        ParserRow(parser=parser, example=examples().get(parser.name), seen=seen.get(parser.name, Seen()))
        for parser in all_parsers()
    )
    ordered = sorted(rows, key=lambda row: (row.parser.software.casefold(), row.parser.name))
    return ParsersPage(rows=tuple(ordered), unknown=seen.get(None, Seen()).mails)


def _seen_since(db: Session, since: datetime) -> dict[str | None, Seen]:
    mails = func.count(MailReading.mail_id.distinct())
    found = db.execute(
        select(
            MailReading.parser,
            mails,
            mails.filter(MailReading.status.is_not(None)),
            func.max(MailMessage.received_at),
        )
        .join(MailMessage, MailMessage.id == MailReading.mail_id)
        .where(MailMessage.imported_at >= since)
        .group_by(MailReading.parser)
    )
    return {parser: Seen(mails=count, read=read, last_at=last) for parser, count, read, last in found}
