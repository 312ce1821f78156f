"""What the watchdog finds wrong. Facts go in, findings come out; nothing here asks a clock or a database."""

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from shared.domain.alarm import AlarmKind
from shared.domain.mailflow import SubscriptionState
from shared.domain.queue_message import Queue
from shared.domain.timer import Timer

LONGEST_UNREAD = timedelta(minutes=60)
LONGEST_WAIT = timedelta(minutes=30)
MOST_WAITING = 1000  # messages of a queue: of mail-parse, 50,000 mails
SHORTEST_STALE = timedelta(minutes=15)
STALE_INTERVALS = 3
SHORTEST_SUBSCRIPTION = timedelta(hours=24)
REPAIR = timedelta(minutes=15)  # in which a lost subscription is usually made anew

AlarmKey = tuple[AlarmKind, str]  # with the subject


@dataclass(frozen=True, kw_only=True, slots=True)
class SourceFacts:
    """Where mails come from. `read_at` is when it was last read to its end.

    `on_since` is when the automatic import was last switched on, None where it never was: then nobody relies on it.
    """

    name: str
    on: bool
    on_since: datetime | None
    read_at: datetime | None
    interval: timedelta


@dataclass(frozen=True, kw_only=True, slots=True)
class TimerFacts:
    """When a timer last began and last ended well; `failed` tells whether its last run went wrong."""

    name: str
    every: timedelta
    beat_at: datetime
    good_at: datetime | None
    failed: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class SubscriptionFacts:
    """Graph's promise for one folder that is read."""

    folder: str
    state: SubscriptionState
    expires_at: datetime | None
    checked_at: datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketingFacts:
    """The ticketing system: since when and why it refuses the sign-in, and how many tickets vanished at once."""

    name: str
    refused_at: datetime | None
    vanished: int
    why: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """All that the watchdog looks at. A queue that could not be asked is not in `queued`."""

    source: SourceFacts
    timers: tuple[TimerFacts, ...] = ()
    subscriptions: tuple[SubscriptionFacts, ...] = ()
    ticketing: TicketingFacts | None = None  # where there is one
    oldest_arrival_at: datetime | None = None
    queued: Mapping[Queue, int]
    dead_letters: Mapping[str, int]
    watching_since: datetime
    zone: ZoneInfo

    def shown(self, moment: datetime) -> str:
        return f"{moment.astimezone(self.zone):%Y-%m-%d %H:%M %Z}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """Something that is wrong now. Of each kind and subject there is one."""

    kind: AlarmKind
    subject: str
    message: str

    @property
    def key(self) -> AlarmKey:
        return self.kind, self.subject


def findings(facts: Facts, *, open_alarms: AbstractSet[AlarmKey], now: datetime) -> list[Finding]:
    """Return what is wrong now. Some troubles begin at one sign and end only at another: `open_alarms` says which."""
    return [
        *_not_read(facts, open_alarms, now),
        *_backlog(facts, open_alarms, now),
        *_dead_letters(facts),
        *_stale_timers(facts, now),
        *_subscriptions(facts, open_alarms, now),
        *_ticketing(facts),
    ]


def is_backlog(facts: Facts, now: datetime) -> bool:
    """Tell whether mails that were read wait too long for their import."""
    oldest = facts.oldest_arrival_at
    return oldest is not None and now - oldest > LONGEST_WAIT


def cycle_ended_at(facts: Facts) -> datetime | None:
    """Return until when mails were read to the end of their source and silence was judged: the earlier of both."""
    judged_at = next((timer.good_at for timer in facts.timers if timer.name == Timer.MISSED_RUNS), None)
    if facts.source.read_at is None or judged_at is None:
        return None
    return min(facts.source.read_at, judged_at)


def longest_unread(interval: timedelta) -> timedelta:
    """Return how long a source may stay unread: an hour, but at least two of its intervals."""
    return max(LONGEST_UNREAD, 2 * interval)


def _not_read(facts: Facts, open_alarms: AbstractSet[AlarmKey], now: datetime) -> Iterator[Finding]:
    source, kind = facts.source, AlarmKind.NOT_READ
    if source.on_since is None:
        return
    if (kind, source.name) in open_alarms:
        # Switching it on is no reading yet; and while it is off, reads by hand would end and begin it all day.
        since = source.read_at
        is_wrong = not source.on or since is None or now - since > longest_unread(source.interval)
    else:
        since = max(source.read_at or source.on_since, source.on_since)
        is_wrong = now - since > longest_unread(source.interval)
    if is_wrong:
        read = f"was last read to its end at {facts.shown(source.read_at)}" if source.read_at else "was never read yet"
        why = "" if source.on else " The automatic import is switched off."
        yield Finding(kind=kind, subject=source.name, message=f"The {_kind_of(source.name)} {read}.{why}")


def _kind_of(source: str) -> str:
    return "mailbox" if "@" in source else source


def _backlog(facts: Facts, open_alarms: AbstractSet[AlarmKey], now: datetime) -> Iterator[Finding]:
    key = (AlarmKind.BACKLOG, "")
    sentences = []
    if is_backlog(facts, now) and facts.oldest_arrival_at:
        sentences.append(f"Mails wait to be imported since {facts.shown(facts.oldest_arrival_at)}.")
    sentences += [
        f"{count:,} messages wait in the queue {queue.value}."
        for queue, count in facts.queued.items()
        if count > MOST_WAITING
    ]
    if not sentences and key in open_alarms and len(facts.queued) < len(Queue):
        sentences.append("A queue could not be asked whether its messages still wait.")
    if sentences:
        yield Finding(kind=key[0], subject=key[1], message=" ".join(sentences))


def _dead_letters(facts: Facts) -> Iterator[Finding]:
    for queue, count in facts.dead_letters.items():
        what = "1 message" if count == 1 else f"{count:,} messages"
        message = f"{what} of the queue {queue} failed too often. Retry or discard under Dead letters."
        yield Finding(kind=AlarmKind.DEAD_LETTERS, subject=queue, message=message)


def _stale_timers(facts: Facts, now: datetime) -> Iterator[Finding]:
    for timer in facts.timers:
        last = timer.good_at or (facts.watching_since if timer.failed else timer.beat_at)
        # While the watchdog itself was away nothing else ran either; each timer gets its time from then on.
        if now - max(last, facts.watching_since) > max(STALE_INTERVALS * timer.every, SHORTEST_STALE):
            message = f"The timer {timer.name} {_standstill(timer, facts)}."
            yield Finding(kind=AlarmKind.TIMER_STALE, subject=timer.name, message=message)


def _standstill(timer: TimerFacts, facts: Facts) -> str:
    if timer.good_at is None and timer.failed:
        return "runs, but has never ended well"
    if timer.good_at is None or timer.beat_at <= timer.good_at:
        return f"has not run since {facts.shown(timer.beat_at)}"
    return f"has not ended well since {facts.shown(timer.good_at)}"


def _subscriptions(facts: Facts, open_alarms: AbstractSet[AlarmKey], now: datetime) -> Iterator[Finding]:
    """Yield one finding however many folders: they are lost and come back together."""
    key = (AlarmKind.SUBSCRIPTION, facts.source.name)
    if not facts.source.on:  # then nobody asks Graph to notify us
        return
    patience = timedelta() if key in open_alarms else REPAIR
    ending = [each for each in facts.subscriptions if _is_ending(each, patience, now)]
    if ending:
        folders = ", ".join(each.folder for each in ending[:5]) + (" …" if len(ending) > 5 else "")
        until = min((each.expires_at for each in ending if each.expires_at), default=None)
        when = "no longer" if until is None or until <= now else f"only until {facts.shown(until)}"
        message = f"Graph notifies us {when} of new mails in {folders}. Meanwhile mails are found by polling."
        yield Finding(kind=key[0], subject=key[1], message=message)


def _is_ending(subscription: SubscriptionFacts, patience: timedelta, now: datetime) -> bool:
    if subscription.state is SubscriptionState.REFUSED:  # polling alone: a state that the settings page shows
        return False
    if subscription.expires_at is None or subscription.state is SubscriptionState.REMOVED:
        return now - subscription.checked_at >= patience
    return subscription.expires_at - now < SHORTEST_SUBSCRIPTION


def _ticketing(facts: Facts) -> Iterator[Finding]:
    """Both hold everything up until a person has seen to them."""
    system, kind = facts.ticketing, AlarmKind.TICKETING
    if system is None:
        return
    if system.refused_at is not None:
        why = f" {system.why[:1].upper()}{system.why[1:]}." if system.why else ""
        message = (
            f"{system.name} refused the sign-in at {facts.shown(system.refused_at)}.{why} Since then nothing is sent "
            "to it: no ticket is made or looked up. Put the credentials right, then test the connection."
        )
        yield Finding(kind=kind, subject="sign-in", message=message)
    if system.vanished:
        message = (
            f"{system.vanished:,} tickets are no longer to be seen at {system.name}, all at once. No ticket is kept "
            "up to date until that is seen to under Errands: usually a right was taken away."
        )
        yield Finding(kind=kind, subject="tickets", message=message)
