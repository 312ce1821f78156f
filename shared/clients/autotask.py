"""Autotask as a ticket provider.

Importing this module loads no HTTP library; the first call does.
"""

import threading
from collections.abc import Sequence
from dataclasses import fields

from shared.clients import autotask_changes as changes
from shared.clients import autotask_reference as reference
from shared.clients import autotask_tickets as tickets
from shared.clients.autotask_breaker import Breaker
from shared.clients.autotask_connection import Connection, credentials_of
from shared.clients.autotask_line import AutotaskLine
from shared.clients.autotask_tickets import Conventions
from shared.clients.autotask_wire import Recorder
from shared.clients.errors import Refused
from shared.clients.patience import Patience
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
    TicketState,
    Usage,
)
from shared.settings import Settings

_opening = threading.Lock()
_open: dict[tuple[Patience, tuple[str, ...]], Connection] = {}


def open_autotask(
    settings: Settings,
    *,
    breaker: Breaker,
    conventions: Conventions | None = None,
    record: Recorder | None = None,
    patience: Patience | None = None,
) -> "AutotaskTickets":
    """Return the tickets of the settings' tenant. Connections and the zone last as long as the process.

    Raise BadSetting when there is nothing to sign in with.
    """
    line = AutotaskLine(_connection(settings, patience or Patience()), breaker=breaker, record=record)
    return AutotaskTickets(line, conventions or Conventions())


class AutotaskTickets:
    """A `TicketProvider` at the end of a line."""

    name = "autotask"
    abilities = frozenset(Ability)

    def __init__(self, line: AutotaskLine, conventions: Conventions) -> None:
        self._line = line
        self._conventions = conventions

    def usage(self) -> Usage:
        return reference.usage(self._line)

    def reference(self) -> list[ReferenceValue]:
        return reference.values(self._line)

    def search_companies(self, text: str) -> list[Company]:
        return reference.search_companies(self._line, text)

    def companies(self, ids: Sequence[str]) -> list[Company]:
        return reference.companies(self._line, ids)

    def active_companies(self) -> list[Company]:
        return reference.active_companies(self._line)

    def create(self, draft: TicketDraft, *, may_exist: bool = False) -> RemoteTicket:
        return self._conventions.ticket(changes.create(self._line, draft, may_exist=may_exist))

    def find(self, key: str) -> RemoteTicket | None:
        found = tickets.by_key(self._line, key)
        return None if found is None else self._conventions.ticket(found)

    def ticket(self, ticket_id: str) -> RemoteTicket:
        return self._conventions.ticket(tickets.one(self._line, ticket_id))

    def ticket_by_number(self, number: str) -> RemoteTicket:
        return self._conventions.ticket(tickets.by_number(self._line, number.strip()))

    def tickets(self, ids: Sequence[str]) -> list[RemoteTicket]:
        return [self._conventions.ticket(row) for row in tickets.seen(self._line, ids)]

    def proven_deleted(self, ids: Sequence[str]) -> list[Deletion]:
        return tickets.proven_deleted(self._line, ids)

    def resolve(self, ticket_id: str, text: str, *, known: KnownAs | None = None) -> RemoteTicket:
        before = changes.to_be_changed(self._line, ticket_id, known)
        if self._conventions.state_of(before.status) is TicketState.RESOLVED:
            return self._conventions.ticket(before)
        resolution = changes.with_added(before.resolution, text)
        change = TicketChange(status_id=self._conventions.resolved, resolution=resolution)
        after = self.change(ticket_id, change)
        if after.state is not TicketState.RESOLVED:
            raise Refused("Autotask took the change and the ticket is still open: a rule there opens it again")
        return after

    def change(self, ticket_id: str, change: TicketChange) -> RemoteTicket:
        changes.patch(self._line, ticket_id, change)
        return self.ticket(ticket_id)

    def add_note(
        self, ticket_id: str, note: NoteDraft, *, may_exist: bool = False, known: KnownAs | None = None
    ) -> str:
        return changes.add_note(
            self._line, ticket_id, note, conventions=self._conventions, may_exist=may_exist, known=known
        )

    def find_note(self, ticket_id: str, key: str) -> str | None:
        found = tickets.note_by_key(self._line, ticket_id, key)
        return None if found is None else str(found.id)


def _connection(settings: Settings, patience: Patience) -> Connection:
    ours = tuple(getattr(settings, each.name) for each in fields(settings) if each.name.startswith("autotask_"))
    key = (patience, ours)
    with _opening:
        if key not in _open:
            _open[key] = Connection(settings.autotask_base_url, credentials_of(settings), patience=patience)
        return _open[key]
