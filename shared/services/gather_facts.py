"""What the watchdog looks at, out of the database and the queues."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.clients.errors import Upstream
from shared.clients.queues import Queues
from shared.domain.alarm_course import watching_since
from shared.domain.mailflow import Source
from shared.domain.queue_message import Queue
from shared.domain.ticket import TicketSource
from shared.domain.watch import Facts, SourceFacts, SubscriptionFacts, TicketingFacts, TimerFacts
from shared.models.mailbox import GraphSubscription, MailArrival, MailboxRow, MailFolderRow
from shared.models.pipeline import DeadLetter, Heartbeat, Watch
from shared.models.system import ImportCycle, SystemSettings
from shared.models.ticketing import TicketingSettings, TicketingState
from shared.services.ticketing_breaker import OpenBreaker

log = logging.getLogger(__name__)

FOLDER = "mail folder"


def ask_queues(queues: Queues) -> dict[Queue, int]:
    """Return how many messages wait in each queue that answers."""
    counts = {}
    for queue in Queue:
        try:
            counts[queue] = queues.waiting(queue)
        except Upstream:
            log.warning("a queue cannot be asked", exc_info=True, extra={"queue": queue.value})
    return counts


def gather_facts(
    db: Session,
    watch: Watch,
    *,
    mailbox: str,
    queued: Mapping[Queue, int],
    breaker: OpenBreaker | None = None,
    now: datetime,
) -> Facts:
    """Return the facts of now, and let the watchdog remember those that only it can know.

    `mailbox` is the address that is read, empty where the mail folder is; `breaker` is that of the ticketing system.
    """
    settings = db.get_one(SystemSettings, 1)
    _remember(watch, mailbox or FOLDER, on=settings.import_enabled, now=now)
    assert watch.since is not None
    source = SourceFacts(
        name=watch.source,
        on=watch.import_on,
        on_since=watch.import_on_since,
        read_at=last_read_at(db, mailbox),
        interval=timedelta(minutes=settings.import_interval_minutes),
    )
    return Facts(
        source=source,
        timers=_timers(db),
        subscriptions=_subscriptions(db, mailbox) if mailbox else (),
        ticketing=_ticketing(db, breaker),
        oldest_arrival_at=db.scalar(select(func.min(MailArrival.arrived_at))),
        queued=queued,
        dead_letters=_dead_letters(db),
        watching_since=watch.since,
        zone=ZoneInfo(settings.ui_time_zone),
    )


def last_read_at(db: Session, mailbox: str) -> datetime | None:
    """Return when the last read that reached the end of the source ended."""
    complete = select(ImportCycle.finished_at).where(ImportCycle.complete)
    newest = complete.order_by(ImportCycle.started_at.desc()).limit(1)
    if not mailbox:
        return db.scalar(newest.where(ImportCycle.source == Source.FOLDER))
    mailbox_id = select(MailboxRow.id).where(MailboxRow.address == mailbox).scalar_subquery()
    return db.scalar(newest.where(ImportCycle.source == Source.GRAPH, ImportCycle.mailbox_id == mailbox_id))


def _remember(watch: Watch, source: str, *, on: bool, now: datetime) -> None:
    watch.since = watching_since(watch.since, watch.ticked_at, now=now)
    if on and not (watch.import_on and watch.source == source):
        watch.import_on_since = now
    watch.import_on = on
    watch.source = source
    watch.ticked_at = now


def _timers(db: Session) -> tuple[TimerFacts, ...]:
    return tuple(
        TimerFacts(
            name=row.name,
            every=timedelta(seconds=row.every_seconds),
            beat_at=row.beat_at,
            good_at=row.good_at,
            failed=bool(row.last_error),
        )
        for row in db.scalars(select(Heartbeat).order_by(Heartbeat.name))
    )


def _subscriptions(db: Session, mailbox: str) -> tuple[SubscriptionFacts, ...]:
    found = db.execute(
        select(
            MailFolderRow.path.label("folder"),
            GraphSubscription.state,
            GraphSubscription.expires_at,
            GraphSubscription.checked_at,
        )
        .join(GraphSubscription, GraphSubscription.folder_id == MailFolderRow.id)
        .join(MailboxRow, MailboxRow.id == MailFolderRow.mailbox_id)
        .where(MailboxRow.address == mailbox, MailFolderRow.active)
        .order_by(MailFolderRow.path)
    )
    return tuple(SubscriptionFacts(**row._asdict()) for row in found)


def _ticketing(db: Session, breaker: OpenBreaker | None) -> TicketingFacts | None:
    provider = db.get_one(TicketingSettings, 1).provider
    if provider is TicketSource.MANUAL:
        return None
    return TicketingFacts(
        name=provider.value.capitalize(),
        refused_at=breaker.opened_at if breaker else None,
        vanished=db.get_one(TicketingState, 1).vanished,
        why=breaker.why if breaker else "",
    )


def _dead_letters(db: Session) -> dict[str, int]:
    letters = select(DeadLetter.queue, func.count().label("open_ones")).where(DeadLetter.settled_at.is_(None))
    found = db.execute(letters.group_by(DeadLetter.queue).order_by(DeadLetter.queue))
    return {row.queue: row.open_ones for row in found}
