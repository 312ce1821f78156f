"""Work that was given up: messages of the queues that failed too often."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.queue_message import BadMessage, JobRange, ParseBatch, Queue, TicketWork, Wake
from shared.models.mailbox import MailArrival
from shared.models.pipeline import DeadLetter
from shared.models.users import User
from shared.queries.rows import PAGE_SIZE, Page, existing_page


@dataclass(frozen=True, kw_only=True, slots=True)
class Letter:
    """One message. `mails` were to be imported by it; `still_waiting` of them are not, for the reason in `trouble`.

    One that is not `is_readable` was written by no version of this code that we know.
    """

    letter_id: int
    queue: str
    body: str
    died_at: datetime
    settled_at: datetime | None
    settled_as: str | None
    settled_by: str | None
    is_readable: bool
    mails: int
    still_waiting: int
    trouble: str


def dead_letters(db: Session, page: int) -> Page[Letter]:
    """Return one page: those that are open first, and of both the last ones first."""
    total = db.scalar(select(func.count()).select_from(DeadLetter)) or 0
    number = existing_page(page, total)
    found = db.execute(
        select(DeadLetter, func.coalesce(func.nullif(User.display_name, ""), User.username))
        .outerjoin(User, User.id == DeadLetter.settled_by)
        .order_by(DeadLetter.settled_at.is_not(None), DeadLetter.died_at.desc(), DeadLetter.id.desc())
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    ).all()
    said = {row.id: _read(row) for row, _ in found}
    troubles = _troubles(db, (mail for each in said.values() for mail in _mails_of(each)))
    rows = tuple(_letter(row, by, said[row.id], troubles) for row, by in found)
    return Page(rows=rows, number=number, total=total)


def open_count(db: Session) -> int:
    return db.scalar(select(func.count()).select_from(DeadLetter).where(DeadLetter.settled_at.is_(None))) or 0


def _read(row: DeadLetter) -> Wake | ParseBatch | JobRange | TicketWork | None:
    """Return what the message says, None when that cannot be told."""
    kinds: Mapping[str, type[Wake | ParseBatch | JobRange | TicketWork]] = {
        Queue.MAIL_WAKE: Wake,
        Queue.MAIL_PARSE: ParseBatch,
        Queue.JOB_WATCH: JobRange,
        Queue.TICKET_ERRANDS: TicketWork,
    }
    try:
        return kinds[row.queue].from_json(row.body)
    except (KeyError, BadMessage):
        return None


def _mails_of(said: Wake | ParseBatch | JobRange | TicketWork | None) -> tuple[int, ...]:
    return said.arrival_ids if isinstance(said, ParseBatch) else ()


def _troubles(db: Session, arrival_ids: Iterable[int]) -> dict[int, str]:
    """Return the last error of each mail that still waits; those that were imported since are not in it."""
    ids = {each for each in arrival_ids if 0 < each < 2**63}
    if not ids:
        return {}
    found = db.execute(select(MailArrival.id, MailArrival.last_error).where(MailArrival.id.in_(ids)))
    return {row.id: row.last_error for row in found}


def _letter(
    row: DeadLetter,
    settled_by: str | None,
    said: Wake | ParseBatch | JobRange | TicketWork | None,
    troubles: Mapping[int, str],
) -> Letter:
    mails = _mails_of(said)
    waiting = [each for each in mails if each in troubles]
    return Letter(
        letter_id=row.id,
        queue=row.queue,
        body=row.body,
        died_at=row.died_at,
        settled_at=row.settled_at,
        settled_as=row.settled_as,
        settled_by=settled_by,
        is_readable=said is not None,
        mails=len(mails),
        still_waiting=len(waiting),
        trouble=next((troubles[each] for each in waiting if troubles[each]), ""),
    )
