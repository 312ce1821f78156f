"""What the watcher shouts about, and to whom."""

from enum import StrEnum


class AlarmKind(StrEnum):
    """What is wrong with the pipeline itself. The subject of an alarm names the mailbox, queue or timer."""

    NOT_READ = "not_read"  # a source of mails was not read to its end for an hour
    BACKLOG = "backlog"  # mails wait to be read for too long
    DEAD_LETTERS = "dead_letters"
    TIMER_STALE = "timer_stale"
    SUBSCRIPTION = "subscription"  # Graph notifies no more, or only for another day


class TargetKind(StrEnum):
    """How a target wants to be told."""

    WEBHOOK = "webhook"  # a JSON object by POST
    TEAMS = "teams"  # an adaptive card to a Teams workflow
    DEAD_MAN = "dead_man"  # pinged after each complete cycle; it shouts when we fall silent
