"""No ticketing system: an operator types the number of a ticket that he made elsewhere."""

# ruff: noqa: ARG002 (it has to take what it does nothing with)

from collections.abc import Sequence
from typing import NoReturn

from shared.clients.errors import NotSupported
from shared.domain.ticketing import Ability, KnownAs, NoteDraft, TicketChange, TicketDraft


class ManualTickets:
    """A `TicketProvider` that can do nothing, and says so."""

    name = "manual"
    abilities: frozenset[Ability] = frozenset()

    def usage(self) -> None:
        """Nothing is counted."""

    def reference(self) -> NoReturn:
        raise _by_hand()

    def search_companies(self, text: str) -> NoReturn:
        raise _by_hand()

    def companies(self, ids: Sequence[str]) -> NoReturn:
        raise _by_hand()

    def active_companies(self) -> NoReturn:
        raise _by_hand()

    def create(self, draft: TicketDraft, *, may_exist: bool = False) -> NoReturn:
        raise _by_hand()

    def find(self, key: str) -> NoReturn:
        raise _by_hand()

    def find_note(self, ticket_id: str, key: str) -> NoReturn:
        raise _by_hand()

    def ticket(self, ticket_id: str) -> NoReturn:
        raise _by_hand()

    def ticket_by_number(self, number: str) -> NoReturn:
        raise _by_hand()

    def tickets(self, ids: Sequence[str]) -> NoReturn:
        raise _by_hand()

    def proven_deleted(self, ids: Sequence[str]) -> NoReturn:
        raise _by_hand()

    def resolve(self, ticket_id: str, text: str, *, known: KnownAs | None = None) -> NoReturn:
        raise _by_hand()

    def change(self, ticket_id: str, change: TicketChange) -> NoReturn:
        raise _by_hand()

    def add_note(
        self, ticket_id: str, note: NoteDraft, *, may_exist: bool = False, known: KnownAs | None = None
    ) -> NoReturn:
        raise _by_hand()


def _by_hand() -> NotSupported:
    return NotSupported("Tickets are kept by hand here: no ticketing system is connected")
