"""What to think of tickets that were looked up at the ticketing system. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.ticketing import Pace, RemoteTicket, TicketState

WATCHED_AFTER = timedelta(days=14)  # a resolved ticket is looked at for so long: somebody may take it up again
SLOWER = 4
JITTER = timedelta(seconds=30)  # a timer does not tick to the second
MANY = 10
LARGE_SHARE = 0.3


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownTicket:
    """A ticket as it is here. `misses` counts how often it was not to be seen over there.

    Number and company are empty until they are known. `is_another`: the last time its id was another ticket's.
    """

    ticket_id: int
    remote_id: str
    number: str
    company_id: str
    is_another: bool
    is_resolved: bool
    status_id: str
    misses: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """What a look at many tickets found: those that are news, all that were seen, and those that were not."""

    news: tuple[RemoteTicket, ...]
    seen: tuple[int, ...]
    unseen: tuple[KnownTicket, ...]
    vanished: int  # of those that were to be seen the last time

    @property
    def is_incredible(self) -> bool:
        """So many don't go at once: a right was taken away, or the zone is another one."""
        before = len(self.seen) + self.vanished
        return self.vanished > MANY and self.vanished > LARGE_SHARE * before


def compare(known: Collection[KnownTicket], found: Collection[RemoteTicket]) -> Look:
    """Compare what is known with what was found."""
    there = {each.id: each for each in found}
    seen = [each for each in known if each.remote_id in there]
    unseen = tuple(each for each in known if each.remote_id not in there)
    return Look(
        news=tuple(there[each.remote_id] for each in seen if _is_news(each, there[each.remote_id])),
        seen=tuple(each.ticket_id for each in seen),
        unseen=unseen,
        vanished=sum(each.misses == 0 for each in unseen),
    )


def poll_is_due(polled_at: datetime | None, every: timedelta, pace: Pace, *, now: datetime) -> bool:
    """Tell whether tickets are to be looked up: less often while others use up the hour's requests.

    `polled_at` is when the last poll began: however long one takes, the next one comes no later for it.
    """
    interval = every * SLOWER if pace is Pace.SLOW else every
    return polled_at is None or now - polled_at >= interval - JITTER


def _is_news(known: KnownTicket, found: RemoteTicket) -> bool:
    return (
        (found.state is TicketState.RESOLVED) is not known.is_resolved
        or found.status_id != known.status_id
        or known.is_another
        or (bool(found.number) and found.number != known.number)
        or (bool(found.company_id) and found.company_id != known.company_id)
    )
