"""Has Graph tell us of new mails: one subscription for each folder that is read, renewed in time, made anew when lost.

Nothing depends on it: where Graph refuses, or can't reach us, mails are polled for, and the row says so. Like the read
of a mailbox it opens its own transactions, and holds the mailbox meanwhile.
"""

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

from shared.clients.errors import NotAllowed, NotFound, Refused, Upstream
from shared.clients.graph_mailbox import GraphMailbox, Subscription
from shared.clients.queues import Queues
from shared.db.session import transaction
from shared.domain.client_state import client_state
from shared.domain.mailflow import SubscriptionState
from shared.models.mailbox import GraphSubscription, MailFolderRow
from shared.models.system import SystemSettings
from shared.services.lease_mailbox import Lease, LeaseLost, NoLease, hold_lease, mailbox_id_of, take_lease_aside
from shared.services.leave_mailbox import leave_mailbox
from shared.settings import LOOPBACK, Settings

log = logging.getLogger(__name__)

NOTIFICATIONS, LIFECYCLE = "/api/graph/notifications", "/api/graph/lifecycle"
LIFETIME = timedelta(minutes=10_070)  # Graph's limit is ten more
RENEW_BEFORE = timedelta(hours=48)
ASK_AGAIN = timedelta(hours=24)  # where we are not allowed to
TRIES, PAUSE = 30, 2.0  # seconds between two tries to get hold of the mailbox
ENDED, UNREAD = "ended", "not read"
NO_ADDRESS = (
    "Microsoft Graph can't reach this app: PUBLIC_URL must be its address and begin with https://. "
    "Until then mails are only polled for."
)

Folder = tuple[MailFolderRow, GraphSubscription | None]
Valid = tuple[str, datetime]


@dataclass(frozen=True, kw_only=True, slots=True)
class Upkeep:
    """One go through all folders. `there` are the subscriptions that Graph has, None where it does not say."""

    mailbox: GraphMailbox
    lease: Lease
    settings: Settings
    clock: Callable[[], datetime]
    told_at: datetime | None
    there: Sequence[Subscription] | None


def keep_subscriptions(
    mailbox: GraphMailbox,
    queues: Queues,
    *,
    settings: Settings,
    clock: Callable[[], datetime],
    sleep: Callable[[float], object],
    told_at: datetime | None = None,
) -> dict[str, int]:
    """Bring the subscriptions in order; return how many are in which state.

    `told_at` is when Graph itself said that something is wrong with them: what was not looked at since is renewed.
    """
    lease = _lease(mailbox.address, clock, sleep)
    if not isinstance(lease, Lease):
        return {lease.name.lower() if lease else "off": 1}
    try:
        upkeep = Upkeep(
            mailbox=mailbox, lease=lease, settings=settings, clock=clock, told_at=told_at, there=_there(mailbox)
        )
        counts = Counter(_keep(upkeep, *folder) for folder in _folders(lease))
        del counts[UNREAD]
    except LeaseLost:
        log.warning("the mailbox was lost to another worker", extra={"mailbox_id": lease.mailbox_id})
        return {"lost": 1}
    finally:
        leave_mailbox(queues, lease, clock=clock)
    log.info("subscriptions kept", extra={"counts": dict(counts)})
    return dict(counts)


def _lease(address: str, clock: Callable[[], datetime], sleep: Callable[[float], object]) -> Lease | NoLease | None:
    """Return the mailbox's lease, waiting a minute for it; None while the import is switched off."""
    for _ in range(TRIES):
        with transaction() as db:
            if not db.get_one(SystemSettings, 1).import_enabled:
                return None
            lease = take_lease_aside(db, mailbox_id_of(db, address), now=clock())
        if lease is not NoLease.TAKEN:
            return lease
        sleep(PAUSE)
    return NoLease.TAKEN


def _there(mailbox: GraphMailbox) -> Sequence[Subscription] | None:
    try:
        return tuple(mailbox.subscriptions())
    except Upstream:
        log.warning("the subscriptions can't be listed", exc_info=True)
        return None


def _folders(lease: Lease) -> Sequence[Folder]:
    query = (
        select(MailFolderRow, GraphSubscription)
        .outerjoin(GraphSubscription, GraphSubscription.folder_id == MailFolderRow.id)
        .where(MailFolderRow.mailbox_id == lease.mailbox_id)
        .order_by(MailFolderRow.active, MailFolderRow.id)  # those that end make room first
    )
    with transaction() as db:
        return [(row[0], row[1]) for row in db.execute(query)]


def _keep(upkeep: Upkeep, folder: MailFolderRow, known: GraphSubscription | None) -> str:
    """Bring one folder's subscription in order and return its state."""
    if not folder.active:
        return _end(upkeep, folder, known)
    now = upkeep.clock()
    if known is not None and not _is_due(upkeep, known, now):
        return known.state.value
    if not can_be_reached(upkeep.settings):
        return _note(upkeep, folder, SubscriptionState.FAILED, error=NO_ADDRESS)
    try:
        found = _renewed(upkeep, known, now) or _made(upkeep, folder, now)
    except NotAllowed as problem:
        return _note(upkeep, folder, SubscriptionState.REFUSED, error=str(problem))
    except Upstream as problem:
        log.warning("a subscription could not be kept", extra={"folder_id": folder.id}, exc_info=True)
        return _note(upkeep, folder, SubscriptionState.FAILED, error=str(problem), valid=_still_valid(known, now))
    return _note(upkeep, folder, SubscriptionState.ACTIVE, valid=(found.subscription_id, found.expires_at))


def can_be_reached(settings: Settings) -> bool:
    """Tell whether Graph can call us: over https, and a stand-in on this machine without."""
    address = urlsplit(settings.public_url)
    if address.scheme == "https":
        return bool(address.hostname)
    return address.scheme == "http" and address.hostname in LOOPBACK and not settings.is_production


def _is_due(upkeep: Upkeep, known: GraphSubscription, now: datetime) -> bool:
    if upkeep.told_at is not None and known.checked_at < upkeep.told_at:
        return True
    match known.state:
        case SubscriptionState.REFUSED:
            return now - known.checked_at >= ASK_AGAIN
        case SubscriptionState.ACTIVE:
            ends_soon = known.expires_at is None or known.expires_at - now < RENEW_BEFORE
            return ends_soon or _is_lost(upkeep, known)
    return True


def _is_lost(upkeep: Upkeep, known: GraphSubscription) -> bool:
    return upkeep.there is not None and known.subscription_id not in {each.subscription_id for each in upkeep.there}


def _renewed(upkeep: Upkeep, known: GraphSubscription | None, now: datetime) -> Subscription | None:
    """Return the renewed subscription, None where one must be made."""
    if known is None or known.subscription_id is None or _is_lost(upkeep, known):
        return None
    try:
        return upkeep.mailbox.renew(known.subscription_id, now + LIFETIME)
    except NotFound:
        return None


def _made(upkeep: Upkeep, folder: MailFolderRow, now: datetime) -> Subscription:
    try:
        return _subscribe(upkeep, folder, now)
    except Refused:
        # Graph takes only one of a kind: somebody died between making it and noting that.
        stray = [each for each in upkeep.there or () if folder.graph_id in re.split(r"[/'()]+", each.resource)]
        if not stray:
            raise
        for each in stray:
            upkeep.mailbox.unsubscribe(each.subscription_id)
        return _subscribe(upkeep, folder, now)


def _subscribe(upkeep: Upkeep, folder: MailFolderRow, now: datetime) -> Subscription:
    base = upkeep.settings.public_url
    return upkeep.mailbox.subscribe(
        folder.graph_id,
        notify=base + NOTIFICATIONS,
        lifecycle=base + LIFECYCLE,
        secret=client_state(upkeep.settings.secret_key, upkeep.mailbox.address),
        until=now + LIFETIME,
    )


def _still_valid(known: GraphSubscription | None, now: datetime) -> Valid | None:
    """Return what goes on notifying us though it could not be renewed."""
    if known is None or known.subscription_id is None or known.expires_at is None or known.expires_at <= now:
        return None
    return known.subscription_id, known.expires_at


def _note(
    upkeep: Upkeep, folder: MailFolderRow, state: SubscriptionState, *, error: str = "", valid: Valid | None = None
) -> str:
    now = upkeep.clock()
    subscription_id, expires_at = valid or (None, None)
    facts = {
        "state": state,
        "subscription_id": subscription_id,
        "expires_at": expires_at,
        "checked_at": now,
        "last_error": error[:500],
    }
    add = insert(GraphSubscription).values(folder_id=folder.id, **facts)
    with transaction() as db:
        hold_lease(db, upkeep.lease, now=now)
        db.execute(add.on_conflict_do_update(index_elements=[GraphSubscription.folder_id], set_=facts))
    return state.value


def _end(upkeep: Upkeep, folder: MailFolderRow, known: GraphSubscription | None) -> str:
    """End what a folder that is no longer read still has."""
    if known is None:
        return UNREAD
    if known.subscription_id is not None:
        try:
            upkeep.mailbox.unsubscribe(known.subscription_id)
        except Upstream as problem:  # it ends by itself within a week; tried again before
            return _note(
                upkeep, folder, SubscriptionState.FAILED, error=str(problem), valid=_still_valid(known, upkeep.clock())
            )
    with transaction() as db:
        hold_lease(db, upkeep.lease, now=upkeep.clock())
        db.execute(delete(GraphSubscription).where(GraphSubscription.id == known.id))
    return ENDED
