"""What happens when somebody says: look for new mails. The only code that reads a mailbox through Microsoft Graph.

It opens its own transactions. Whatever Graph does is expected: it is recorded where people see it, and the next wake
tries again; only faults of ours and a database that is gone are raised.
"""

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.clients.errors import Throttled, Upstream
from shared.clients.graph_mailbox import GraphMailbox
from shared.clients.queues import Queues
from shared.db.session import transaction
from shared.domain.queue_message import Wake, WakeReason
from shared.models.mailbox import MailboxRow
from shared.models.system import SystemSettings
from shared.services.check_gap import check_gap
from shared.services.fetch_whole_mails import fetch_whole_mails
from shared.services.import_cycles import begin_cycle, finish_cycles, request_cycle, requested_cycles
from shared.services.lease_mailbox import (
    Lease,
    LeaseLost,
    NoLease,
    end_lease_unless_asked,
    mailbox_id_of,
    start_read,
    take_lease,
)
from shared.services.leave_mailbox import Following, leave_mailbox
from shared.services.move_mails import move_mails
from shared.services.read_folders import read_folders
from shared.services.sync_round import SyncRound

log = logging.getLogger(__name__)

SETTLING = timedelta(seconds=2)  # notifications come in bursts: one read for all of them
ROUNDS = 3  # in one go, when others ask meanwhile; functions may not run for ever
TRY_AGAIN = timedelta(minutes=1)
REST = timedelta(minutes=1)  # when Graph wants one and does not say how long
LONGEST_REST = timedelta(days=1)
MARGIN = timedelta(seconds=5)  # clocks differ: a wake that came too early would be dropped
THROTTLED = "Microsoft Graph asked us to wait. The mails are read by themselves as soon as it lets us."


@dataclass(frozen=True, kw_only=True, slots=True)
class Reader:
    """Who reads the mailbox, and with what."""

    mailbox: GraphMailbox
    queues: Queues
    clock: Callable[[], datetime]
    wake: Wake


def sync_mailbox(
    mailbox: GraphMailbox,
    queues: Queues,
    wake: Wake,
    *,
    clock: Callable[[], datetime],
    sleep: Callable[[float], object],
) -> dict[str, int]:
    """Read the mailbox unless a read that began after the wake has seen to it; return counts.

    1. One worker holds the mailbox; who finds it taken asks the holder to look again, and is done.
    2. Every folder is read to its end or to the limit; once a day what came in is held against what is there.
    3. The read is recorded, complete when every folder came to its end. Then whole mails that are wanted are fetched,
       and imported ones are moved.
    4. What is left (a limit was reached, Graph wants a rest) is another wake.
    """
    wake = replace(wake, at=min(wake.at, clock()))  # no clock of another machine may let us read for ever
    if wake.reason is WakeReason.NOTIFICATION:
        sleep(max(0.0, (wake.at + SETTLING - clock()).total_seconds()))
    lease = _lease_for(mailbox.address, wake, clock())
    if not isinstance(lease, Lease):
        reason = lease.name.lower() if lease else "off"
        log.info("a wake needs no read", extra={"reason": wake.reason.value, "because": reason})
        return {reason: 1}
    counts = _read_while_asked(Reader(mailbox=mailbox, queues=queues, clock=clock, wake=wake), lease)
    log.info("mailbox read", extra={"reason": wake.reason.value, "counts": dict(counts)})
    return dict(counts)


def _lease_for(address: str, wake: Wake, now: datetime) -> Lease | NoLease | None:
    """Return the lease or why there is none; None when the import is switched off."""
    with transaction() as db:
        # A read by hand also works while the import is off, and then somebody has to end what it began.
        by_hand = wake.reason in (WakeReason.MANUAL, WakeReason.MORE)
        if not by_hand and not db.get_one(SystemSettings, 1).import_enabled:
            return None
        mailbox_id = mailbox_id_of(db, address)
        lease = take_lease(db, mailbox_id, wake_at=wake.at, now=now)
        if wake.reason is WakeReason.NOTIFICATION:
            row = db.get_one(MailboxRow, mailbox_id)
            row.last_notification_at = max(wake.at, row.last_notification_at or wake.at)
        if wake.reason is WakeReason.MANUAL and lease is not NoLease.SEEN_TO:
            request_cycle(db, mailbox_id, wake)
        if lease is NoLease.THROTTLED:
            finish_cycles(db, requested_cycles(db, mailbox_id), now=now, error=THROTTLED)
        return lease


def _read_while_asked(reader: Reader, lease: Lease) -> Counter[str]:
    """Read, and again while others ask for it; then give the mailbox back, whatever happened."""
    counts, following = Counter[str](), None
    try:
        for _ in range(ROUNDS):
            following = _read_once(reader, lease, counts)
            if following is not None:
                break
            with transaction() as db:
                if end_lease_unless_asked(db, lease):
                    break
    except LeaseLost:  # whoever has it now reads what we did not
        log.warning("the mailbox was lost to another worker", extra={"mailbox_id": lease.mailbox_id})
    finally:
        leave_mailbox(reader.queues, lease, clock=reader.clock, following=following)
    return counts


def _read_once(reader: Reader, lease: Lease, counts: Counter[str]) -> Following | None:
    round_, before = _begin(reader, lease), reader.mailbox.requests
    try:
        return _read(round_)
    except Throttled as problem:
        return _rest(round_, problem, reader.wake.reason)
    except Upstream as problem:
        return _fail(round_, problem, reader.wake.reason)
    finally:
        counts.update(round_.counts)
        counts["requests"] += reader.mailbox.requests - before


def _begin(reader: Reader, lease: Lease) -> SyncRound:
    now, reason = reader.clock(), reader.wake.reason
    with transaction() as db:
        start_read(db, lease, now=now)
        settings = db.get_one(SystemSettings, 1)
        asked_for = requested_cycles(db, lease.mailbox_id)
        reads = settings.import_enabled or bool(asked_for)
        return SyncRound(
            mailbox=reader.mailbox,
            queues=reader.queues,
            clock=reader.clock,
            lease=lease,
            settings=settings,
            started_at=now,
            limit=settings.manual_batch if reason is WakeReason.MANUAL else settings.import_batch,
            cycle_ids=asked_for or ([begin_cycle(db, lease.mailbox_id, reason, now)] if reads else []),
            reads=reads,
            checks_gap=reason is WakeReason.LIFECYCLE_MISSED,
        )


def _read(round_: SyncRound) -> Following | None:
    more = False
    if round_.reads:
        is_whole = read_folders(round_) and check_gap(round_)
        _finish(round_, is_whole=is_whole)
        more = not is_whole and round_.settings.import_enabled
    # In this order: only where the folders could be read, a failure here is one of that mail alone.
    more = fetch_whole_mails(round_) or more
    more = move_mails(round_) or more
    return Following(reason=WakeReason.MORE) if more else None


def _finish(round_: SyncRound, *, is_whole: bool) -> None:
    with round_.write() as db:
        row = db.get_one(MailboxRow, round_.mailbox_id)
        row.last_error, row.last_error_at, row.needs_person = "", None, False
        if is_whole:
            row.sync_finished_at = round_.clock()
    with round_.write() as db:
        finish_cycles(db, round_.cycle_ids, now=round_.clock(), complete=is_whole)


def _rest(round_: SyncRound, problem: Throttled, reason: WakeReason) -> Following:
    """Leave Graph alone for as long as it wants."""
    rest = min(problem.retry_after or REST, LONGEST_REST)
    log.warning("throttled by the mailbox", extra={"seconds": rest.total_seconds()})
    now = round_.clock()
    round_.counts["throttled"] += 1
    with round_.write() as db:
        db.get_one(MailboxRow, round_.mailbox_id).throttled_until = now + rest
        finish_cycles(db, round_.cycle_ids, now=now, error=THROTTLED)
    return Following(reason=reason, delay=rest + MARGIN)


def _fail(round_: SyncRound, problem: Upstream, reason: WakeReason) -> Following | None:
    """Say what went wrong where people look; what may be over in a minute is tried once more, then by the timer."""
    what = {"mailbox_id": round_.mailbox_id, "problem": type(problem).__name__}
    log.error("the mailbox could not be read", extra=what)  # the row has the sentence; a traceback says no more
    now = round_.clock()
    round_.counts["failed"] += 1
    with round_.write() as db:
        row = db.get_one(MailboxRow, round_.mailbox_id)
        was_good = not row.last_error
        row.last_error, row.last_error_at = str(problem)[:500] or type(problem).__name__, now
        row.needs_person = not problem.retryable
        finish_cycles(db, [*round_.cycle_ids, *requested_cycles(db, round_.mailbox_id)], now=now, error=row.last_error)
    return Following(reason=reason, delay=TRY_AGAIN) if problem.retryable and was_good else None
