"""What we want of a ticketing system, whichever it is. A provider speaks its language; nothing here knows one.

Ids are text and mean something to their provider alone. A ticket's state is ours: what counts as closed is decided by
the provider, by what its administrator said.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol
from uuid import uuid4

KEY_PREFIX = "bck-"


class Ability(StrEnum):
    """What a provider may be able to do; pages offer no more than that."""

    COMPANIES = "companies"
    CREATE = "create"
    RESOLVE = "resolve"
    NOTE = "note"
    POLL = "poll"
    PROVE_DELETED = "prove deleted"


class TicketState(StrEnum):
    OPEN = "open"
    RESOLVED = "resolved"


class ReferenceKind(StrEnum):
    """Choices that each tenant of a ticketing system makes for itself."""

    QUEUE = "queue"
    SOURCE = "source"
    STATUS = "status"
    PRIORITY = "priority"
    ISSUE_TYPE = "issue type"
    SUB_ISSUE_TYPE = "sub issue type"
    NOTE_TYPE = "note type"
    NOTE_AUDIENCE = "note audience"


class Pace(StrEnum):
    """How much of the hour's requests may go to what nobody waits for."""

    NORMAL = "normal"
    SLOW = "slow"
    PAUSED = "paused"


@dataclass(frozen=True, kw_only=True, slots=True)
class ReferenceValue:
    """One choice. What is not active any more is shown where it was chosen, and chosen no more."""

    kind: ReferenceKind
    id: str
    label: str
    is_active: bool = True
    is_default: bool = False
    parent_id: str = ""  # of a sub issue type: its issue type
    position: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Company:
    id: str
    name: str
    is_active: bool
    number: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketDraft:
    """A ticket to make. `key` is our own name for it, kept before anything is sent: by it the ticket is found again."""

    key: str
    company_id: str
    title: str
    description: str
    due_at: datetime
    status_id: str
    priority_id: str
    queue_id: str
    source_id: str = ""
    issue_type_id: str = ""
    sub_issue_type_id: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketChange:
    """What to change; an empty text leaves a thing as it is. There is no description: it is theirs once it is sent."""

    status_id: str = ""
    priority_id: str = ""
    queue_id: str = ""
    resolution: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class NoteDraft:
    """A note to add; `key` (`new_note_key`) stands in its title, so that it is found again."""

    key: str
    title: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RemoteTicket:
    """A ticket as the other side has it. `completed_at` may be missing from a resolved one.

    `number` is empty right after a creation whose ticket could not be read back; a poll brings it.
    """

    id: str
    number: str
    key: str
    company_id: str
    title: str
    status_id: str
    state: TicketState
    completed_at: datetime | None
    last_activity_at: datetime | None


class Mismatch(StrEnum):
    """Why what has a ticket's id is not this ticket, or not its customer's any more."""

    NUMBER = "number"
    COMPANY = "company"


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownAs:
    """By what a ticket is known beside its id: those of two tenants overlap. What is empty is not known."""

    number: str = ""
    company_ids: frozenset[str] = frozenset()

    def mismatch(self, number: str, company_id: str) -> Mismatch | None:
        """Tell what is different of a ticket that has the id."""
        if self.number and number and self.number.casefold() != number.strip().casefold():
            return Mismatch.NUMBER
        return Mismatch.COMPANY if self.company_ids and company_id and company_id not in self.company_ids else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Deletion:
    """The proof that a ticket is gone, and not merely out of our sight."""

    ticket_id: str
    number: str
    deleted_at: datetime
    deleted_by_id: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """How much of the requests that all applications of a tenant share is used up."""

    used: int
    limit: int

    @property
    def pace(self) -> Pace:
        share = self.used / self.limit if self.limit > 0 else 1.0
        if share >= 0.9:
            return Pace.PAUSED
        return Pace.SLOW if share >= 0.75 else Pace.NORMAL


class TicketProvider(Protocol):
    """A ticketing system. Every method may raise `Upstream`; what `abilities` lacks raises `NotSupported`.

    No method makes anything twice: what makes something takes a key, and `may_exist` where it was sent before. What
    changes a ticket takes `known`, and raises AnotherTicket with nothing sent where the id is not that ticket's.
    """

    name: str
    abilities: frozenset[Ability]

    def usage(self) -> Usage | None:
        """Return None where nothing is counted."""

    def reference(self) -> list[ReferenceValue]: ...

    def search_companies(self, text: str) -> list[Company]:
        """Return active companies, 50 at most."""

    def companies(self, ids: Sequence[str]) -> list[Company]:
        """Return those that are there, active or not."""

    def active_companies(self) -> list[Company]:
        """Return all of them. One call for 500."""

    def create(self, draft: TicketDraft, *, may_exist: bool = False) -> RemoteTicket:
        """Return the new ticket, or the one that an earlier attempt made. Raise OutcomeUnknown when nobody can tell."""

    def find(self, key: str) -> RemoteTicket | None:
        """Return the ticket that was made under a key."""

    def ticket(self, ticket_id: str) -> RemoteTicket:
        """Raise NotFound when it is not to be seen, which does not mean that it is gone."""

    def ticket_by_number(self, number: str) -> RemoteTicket:
        """Raise NotFound."""

    def tickets(self, ids: Sequence[str]) -> list[RemoteTicket]:
        """Return those that are to be seen."""

    def proven_deleted(self, ids: Sequence[str]) -> list[Deletion]:
        """Return the proofs that there are, of tickets that were not to be seen."""

    def resolve(self, ticket_id: str, text: str, *, known: KnownAs | None = None) -> RemoteTicket:
        """Close a ticket, and return it as it is then. One that is closed already stays as it is."""

    def change(self, ticket_id: str, change: TicketChange) -> RemoteTicket: ...

    def add_note(
        self, ticket_id: str, note: NoteDraft, *, may_exist: bool = False, known: KnownAs | None = None
    ) -> str:
        """Return the note's id. Raise OutcomeUnknown when nobody can tell whether it was added."""

    def find_note(self, ticket_id: str, key: str) -> str | None:
        """Return the id of the note that was added to a ticket under a key."""


def new_key() -> str:
    """Return a name for something to be made. Others who use the same field have another prefix."""
    return f"{KEY_PREFIX}{uuid4().hex}"


def new_note_key() -> str:
    """Return a name for a note: short, because people see it, and enough within one ticket."""
    return f"{KEY_PREFIX}{uuid4().hex[:10]}"
