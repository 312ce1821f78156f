"""One worker at a time reads a mailbox: a row says who, and until when. Whoever comes meanwhile asks him to look again.

The lease saves requests and keeps below Graph's limits; that mails are single is the work of unique keys. Two minutes
after the last sign of life a lease is over, and the next one takes it.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.models.mailbox import MailboxRow

LEASE = timedelta(minutes=2)


class LeaseLost(Exception):
    """Somebody else holds the mailbox by now: stop, and write nothing more."""


class NoLease(Enum):
    """Why there is nothing to do just now."""

    SEEN_TO = auto()  # by a read that began later than the wake
    ASKED = auto()  # the holder will look again before he ends
    TAKEN = auto()
    THROTTLED = auto()  # Graph wants to be left alone for now


@dataclass(frozen=True, kw_only=True, slots=True)
class Lease:
    """The right to call Graph for a mailbox and to write what it says."""

    mailbox_id: int
    owner: str


def mailbox_id_of(db: Session, address: str) -> int:
    """Return the id of the mailbox, which is made when it is seen for the first time."""
    find = select(MailboxRow.id).where(MailboxRow.address == address)
    if (found := db.scalar(find)) is not None:
        return found
    db.execute(insert(MailboxRow).values(address=address).on_conflict_do_nothing())
    return db.scalars(find).one()


def take_lease(db: Session, mailbox_id: int, *, wake_at: datetime, now: datetime) -> Lease | NoLease:
    """Take the mailbox for a read that somebody wanted at `wake_at`, or tell why not."""
    row = _locked(db, mailbox_id)
    held = _is_held(row, now)
    if _is_seen_to(row, wake_at, held=held):
        return NoLease.SEEN_TO
    if held:
        row.wake_requested_at = max(wake_at, row.wake_requested_at or wake_at)
        return NoLease.ASKED
    return _take(row, now)


def take_lease_aside(db: Session, mailbox_id: int, *, now: datetime) -> Lease | NoLease:
    """Take the mailbox for something other than a read, if nobody has it."""
    row = _locked(db, mailbox_id)
    return NoLease.TAKEN if _is_held(row, now) else _take(row, now)


def _take(row: MailboxRow, now: datetime) -> Lease | NoLease:
    if row.throttled_until is not None and row.throttled_until > now:
        return NoLease.THROTTLED
    row.lease_owner, row.lease_until = secrets.token_hex(8), now + LEASE
    return Lease(mailbox_id=row.id, owner=row.lease_owner)


def start_read(db: Session, lease: Lease, *, now: datetime) -> None:
    """Note that a read begins: it will see all that is there by now, whoever asked. Raise LeaseLost."""
    _change(db, lease, sync_started_at=now, wake_requested_at=None, lease_until=now + LEASE)


def hold_lease(db: Session, lease: Lease, *, now: datetime) -> None:
    """Show a sign of life, and keep others from taking over until this transaction ends. Raise LeaseLost."""
    _change(db, lease, lease_until=now + LEASE)


def end_lease(db: Session, lease: Lease) -> datetime | None:
    """Give the mailbox back, unless lost; return when somebody asked for a read that has not begun since."""
    row = _locked(db, lease.mailbox_id)
    if row.lease_owner != lease.owner:
        return None
    row.lease_owner = row.lease_until = None
    return row.wake_requested_at


def end_lease_unless_asked(db: Session, lease: Lease) -> bool:
    """Give the mailbox back unless somebody asked for another read; return whether it is given back or lost."""
    row = _locked(db, lease.mailbox_id)
    if row.lease_owner == lease.owner:
        if row.wake_requested_at is not None:
            return False
        row.lease_owner = row.lease_until = None
    return True


def _is_held(row: MailboxRow, now: datetime) -> bool:
    return row.lease_until is not None and row.lease_until > now


def _is_seen_to(row: MailboxRow, wake_at: datetime, *, held: bool) -> bool:
    started, finished = row.sync_started_at, row.sync_finished_at
    if started is None or started <= wake_at:
        return False
    return held or (finished is not None and finished >= started)


def _locked(db: Session, mailbox_id: int) -> MailboxRow:
    return db.get_one(MailboxRow, mailbox_id, with_for_update=True, populate_existing=True)


def _change(db: Session, lease: Lease, **values: datetime | None) -> None:
    mine = (MailboxRow.id == lease.mailbox_id, MailboxRow.lease_owner == lease.owner)
    if db.scalar(update(MailboxRow).where(*mine).values(**values).returning(MailboxRow.id)) is None:
        raise LeaseLost
