"""What the watcher shouts about, to whom, and in which words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AlarmKind(StrEnum):
    """What is wrong with the pipeline itself. The subject of an alarm names the source, queue or timer."""

    NOT_READ = "not_read"  # a source of mails was not read to its end for an hour
    BACKLOG = "backlog"  # mails wait to be read for too long
    DEAD_LETTERS = "dead_letters"
    TIMER_STALE = "timer_stale"
    SUBSCRIPTION = "subscription"  # Graph notifies no more, or only for another day
    TICKETING = "ticketing"  # the ticketing system refuses the sign-in, or shows most tickets no more


TITLES: Mapping[AlarmKind, str] = {
    AlarmKind.NOT_READ: "Mails are not read",
    AlarmKind.BACKLOG: "Mails wait to be imported",
    AlarmKind.DEAD_LETTERS: "Work was given up",
    AlarmKind.TIMER_STALE: "A timer stands still",
    AlarmKind.SUBSCRIPTION: "Graph does not notify us",
    AlarmKind.TICKETING: "Tickets are not kept alike",
}


class TargetKind(StrEnum):
    """How a target wants to be told."""

    WEBHOOK = "webhook"  # a JSON object by POST
    TEAMS = "teams"  # an adaptive card to a Teams workflow
    DEAD_MAN = "dead_man"  # pinged after each complete cycle; it shouts when we fall silent


MOST_ATTEMPTS = 10  # then a delivery is given up


class Event(StrEnum):
    """What a message tells."""

    OPENED = "opened"
    ENDED = "ended"
    TEST = "test"


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a target is told. `alarm_id` and `event` are the same whenever a message is sent again.

    A test is of no alarm: it has neither id nor kind.
    """

    event: Event
    message: str
    opened_at: datetime
    alarm_id: int | None = None
    kind: AlarmKind | None = None
    subject: str = ""
    closed_at: datetime | None = None
    link: str = ""

    @property
    def title(self) -> str:
        return TITLES[self.kind] if self.kind else "Test message"

    @property
    def key(self) -> str:
        """By which a receiver knows a repeated message."""
        return f"alarm-{self.alarm_id}-{self.event.value}" if self.alarm_id else f"test-{self.opened_at:%Y%m%dT%H%M%S}"
