"""Words of tickets, of what is sent to a ticketing system, and of its customers."""

from enum import StrEnum


class TicketSource(StrEnum):
    """Who keeps a ticket."""

    MANUAL = "manual"  # a code that a person typed
    AUTOTASK = "autotask"


class ErrandKind(StrEnum):
    """What is to be done at the ticketing system."""

    CREATE = "create"
    RESOLVE = "resolve"
    NOTE = "note"


class ErrandState(StrEnum):
    """How far an errand is. Nobody forgets a failed one: a person sends it again or cancels it."""

    WAITING = "waiting"
    SENDING = "sending"  # claimed; a claim runs out
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class MappingState(StrEnum):
    """Whether the company at the ticketing system is still the one that was chosen for a customer."""

    OK = "ok"
    RENAMED = "renamed"
    MISSING = "missing"
    INVALID = "invalid"  # there, but not active any more: takes no tickets
