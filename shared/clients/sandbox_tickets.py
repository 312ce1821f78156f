"""A ticketing system that is read and never written to: for an installation that is a sandbox."""

# ruff: noqa: ARG002 (it has to take what it does nothing with)

from collections.abc import Sequence
from typing import NoReturn

from shared.clients.errors import WritesBlocked
from shared.domain.ticketing import (
    Ability,
    Company,
    Deletion,
    KnownAs,
    NoteDraft,
    ReferenceValue,
    RemoteTicket,
    TicketChange,
    TicketDraft,
    TicketProvider,
    Usage,
)


class SandboxTickets:
    """A `TicketProvider` in front of another: what reads goes through, what writes does not."""

    def __init__(self, behind: TicketProvider) -> None:
        self._behind = behind
        self.name: str = behind.name
        self.abilities: frozenset[Ability] = behind.abilities

    def usage(self) -> Usage | None:
        return self._behind.usage()

    def reference(self) -> list[ReferenceValue]:
        return self._behind.reference()

    def search_companies(self, text: str) -> list[Company]:
        return self._behind.search_companies(text)

    def companies(self, ids: Sequence[str]) -> list[Company]:
        return self._behind.companies(ids)

    def active_companies(self) -> list[Company]:
        return self._behind.active_companies()

    def find(self, key: str) -> RemoteTicket | None:
        return self._behind.find(key)

    def find_note(self, ticket_id: str, key: str) -> str | None:
        return self._behind.find_note(ticket_id, key)

    def ticket(self, ticket_id: str) -> RemoteTicket:
        return self._behind.ticket(ticket_id)

    def ticket_by_number(self, number: str) -> RemoteTicket:
        return self._behind.ticket_by_number(number)

    def tickets(self, ids: Sequence[str]) -> list[RemoteTicket]:
        return self._behind.tickets(ids)

    def proven_deleted(self, ids: Sequence[str]) -> list[Deletion]:
        return self._behind.proven_deleted(ids)

    def create(self, draft: TicketDraft, *, may_exist: bool = False) -> NoReturn:
        raise _blocked()

    def resolve(self, ticket_id: str, text: str, *, known: KnownAs | None = None) -> NoReturn:
        raise _blocked()

    def change(self, ticket_id: str, change: TicketChange) -> NoReturn:
        raise _blocked()

    def add_note(
        self, ticket_id: str, note: NoteDraft, *, may_exist: bool = False, known: KnownAs | None = None
    ) -> NoReturn:
        raise _blocked()


def _blocked() -> WritesBlocked:
    return WritesBlocked("This is a sandbox: nothing is sent to the ticketing system")
