"""What the watchdog does at a tick: look, decide, write down, and only then tell. Opens its own transactions."""

from collections.abc import Callable, Mapping
from datetime import datetime

from shared.clients.notify import Notifier
from shared.clients.queues import Queues
from shared.db.session import transaction
from shared.domain.alarm_course import decide
from shared.domain.queue_message import Queue
from shared.domain.watch import cycle_ended_at, findings, is_backlog
from shared.models.pipeline import Watch
from shared.services.gather_facts import ask_queues, gather_facts
from shared.services.keep_alarms import keep_alarms, open_alarms
from shared.services.ping_dead_man import ping_dead_man
from shared.services.send_alarms import send_alarms
from shared.services.ticketing_breaker import open_breaker
from shared.settings import settings


def tick_watchdog(queues: Queues, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Begin and end alarms, send what waits, ping the dead-man's switches; return the counts.

    Ticks may overlap: one at a time decides, and each message is claimed before it is sent.
    """
    counts, cycle_ended_at = _look(ask_queues(queues), clock)
    notifier = Notifier(production=settings().is_production)
    sent = send_alarms(notifier, clock=clock)
    pinged = ping_dead_man(notifier, cycle_ended_at=cycle_ended_at, clock=clock)
    return {**counts, **sent, "pinged": pinged}


def _look(queued: Mapping[Queue, int], clock: Callable[[], datetime]) -> tuple[dict[str, int], datetime | None]:
    """Return what began and ended, and the end of the last cycle that may be pinged.

    None while mails wait too long: they were read, but nobody sees them.
    """
    with transaction() as db:
        watch = db.get_one(Watch, 1, with_for_update=True)
        now = clock()  # after the lock, so that of two ticks the later one is later
        known = open_alarms(db)
        breaker = open_breaker(db, settings())
        mailbox = settings().graph_mailbox
        facts = gather_facts(db, watch, mailbox=mailbox, queued=queued, breaker=breaker, now=now)
        found = findings(facts, open_alarms={alarm.key for alarm in known}, now=now)
        counts = keep_alarms(db, decide(known, found, watching_since=facts.watching_since, now=now), now=now)
        return {"wrong": len(found), **counts}, None if is_backlog(facts, now) else cycle_ended_at(facts)
