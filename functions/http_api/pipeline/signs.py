"""How the pipeline does, as a row of dots: each with an age and a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from markupsafe import Markup

from functions.http_api.formats import duration, plural, when
from functions.http_api.mail_source import source_name
from shared.domain.mailflow import SubscriptionState
from shared.domain.watch import LONGEST_WAIT, SHORTEST_SUBSCRIPTION, longest_unread
from shared.queries.errands import TicketingHealth
from shared.queries.pipeline import Beat, FolderState, ImportState, Waiting
from shared.services.ticketing_breaker import OpenBreaker


class Health(StrEnum):
    """The colour of a dot. `idle` is neither good nor bad: switched off, not needed, not known yet."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    IDLE = "idle"


@dataclass(frozen=True, kw_only=True, slots=True)
class Sign:
    """One dot. `age` is what stands beside it, `says` the sentence to it."""

    name: str
    health: Health
    age: str
    says: str


def read_sign(state: ImportState, now: datetime) -> Sign:
    name, age = source_name().capitalize(), _age(state.covered_until, now)
    if not state.enabled:
        return Sign(name=name, health=Health.IDLE, age=age, says="Automatic import is switched off.")
    if state.covered_until is None:
        return Sign(name=name, health=Health.WARNING, age="–", says="Has not been read to its end yet.")
    late = now - state.covered_until > longest_unread(state.interval)
    says = Markup("Read to its end; covered until {}.").format(when(state.covered_until, now))
    return Sign(name=name, health=Health.BAD if late else Health.GOOD, age=age, says=says)


def notifications_sign(folders: Sequence[FolderState], state: ImportState, now: datetime, *, public_url: str) -> Sign:
    """Return whether Graph tells us of new mails. Without that they are found by polling, which is enough."""
    polling = f"New mails are found by polling, every {duration(state.interval)}."
    read = [folder for folder in folders if folder.active]
    states = {folder.subscription for folder in read}
    if not public_url:
        says = f"None: PUBLIC_URL is not set, so Microsoft Graph cannot reach this app. {polling}"
        return _notifications(Health.IDLE, "polling", says)
    if not state.enabled:
        return _notifications(Health.IDLE, "off", "None while automatic import is switched off.")
    if SubscriptionState.REFUSED in states:
        says = f"Refused by Microsoft Graph. {polling} {_first_error(read)}"
        return _notifications(Health.IDLE, "polling", says.strip())
    if not states or None in states:
        return _notifications(Health.IDLE, "polling", f"Not asked for yet. {polling}")
    if states != {SubscriptionState.ACTIVE}:
        says = f"Lost, and asked for again by a timer. {polling} {_first_error(read)}"
        return _notifications(Health.WARNING, "polling", says.strip())
    return _active(min(folder.expires_at for folder in read if folder.expires_at), state, now)


def _active(until: datetime, state: ImportState, now: datetime) -> Sign:
    if until <= now:
        return _notifications(Health.BAD, "expired", Markup("Expired {}.").format(when(until, now)))
    says = Markup("Active until {}.").format(when(until, now))
    if state.last_notification_at:
        says += Markup(" The last one came {}.").format(when(state.last_notification_at, now))
    health = Health.WARNING if until - now < SHORTEST_SUBSCRIPTION else Health.GOOD
    return _notifications(health, f"{_age(now, until)} left", says)


def timers_sign(beats: Sequence[Beat], now: datetime) -> Sign:
    stale = [beat.name for beat in beats if beat.is_stale(now)]
    oldest = min((beat.beat_at for beat in beats), default=None)
    if oldest is None:
        return Sign(name="Timers", health=Health.IDLE, age="–", says="No timer has run yet.")
    if stale:
        says = f"{', '.join(stale)} {'stands' if len(stale) == 1 else 'stand'} still."
        return Sign(name="Timers", health=Health.BAD, age=_age(oldest, now), says=says)
    return Sign(name="Timers", health=Health.GOOD, age=_age(oldest, now), says="All of them run.")


def waiting_sign(waiting: Waiting, now: datetime) -> Sign:
    if waiting.oldest_arrival_at is None:
        return Sign(name="Waiting to be read", health=Health.GOOD, age="0", says="Every mail that came is imported.")
    age = now - waiting.oldest_arrival_at
    health = Health.BAD if age > LONGEST_WAIT else Health.GOOD
    says = Markup("{} to be imported, the oldest since {}.").format(
        plural(waiting.arrivals, "mail waits", "mails wait"), when(waiting.oldest_arrival_at, now)
    )
    return Sign(name="Waiting to be read", health=health, age=f"{waiting.arrivals:,}", says=says)


def dead_letters_sign(count: int) -> Sign:
    if not count:
        return Sign(name="Dead letters", health=Health.GOOD, age="0", says="No work was given up.")
    says = f"{plural(count, 'piece')} of work failed too often and {'waits' if count == 1 else 'wait'} for a person."
    return Sign(name="Dead letters", health=Health.BAD, age=f"{count:,}", says=says)


def ticketing_sign(health: TicketingHealth, breaker: OpenBreaker | None, now: datetime) -> Sign:
    """Return how the ticketing system does: what keeps it from being asked, else what failed, else how fresh it is."""
    name, age = health.provider.value.capitalize(), _age(health.polled_at, now)
    if breaker is not None:
        refused = Markup("Refused the sign-in {}: nothing is sent until a connection test works.")
        return Sign(name=name, health=Health.BAD, age=age, says=refused.format(when(breaker.opened_at, now)))
    if health.vanished:
        return Sign(name=name, health=Health.BAD, age=age, says=health.poll_error)
    if health.failed:
        says = f"{plural(health.failed, 'errand')} failed and {'waits' if health.failed == 1 else 'wait'} for a person."
        return Sign(name=name, health=Health.WARNING, age=age, says=says)
    if health.polled_at is None:
        return Sign(name=name, health=Health.WARNING, age=age, says=health.poll_error or "Was not asked yet.")
    is_late = now - health.polled_at > max(4 * timedelta(minutes=health.poll_minutes), LONGEST_WAIT)
    says = health.poll_error or f"Tickets are looked up every {plural(health.poll_minutes, 'minute')}."
    return Sign(name=name, health=Health.WARNING if is_late else Health.GOOD, age=age, says=says)


def _notifications(health: Health, age: str, says: str) -> Sign:
    return Sign(name="Notifications", health=health, age=age, says=says)


def _first_error(folders: Sequence[FolderState]) -> str:
    return next((folder.subscription_error for folder in folders if folder.subscription_error), "")


def _age(moment: datetime | None, now: datetime) -> str:
    """Return an age in its largest unit: the row shall be quiet."""
    if moment is None:
        return "–"
    return " ".join(duration(max(now - moment, timedelta())).split()[:2])
