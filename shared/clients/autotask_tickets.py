"""Tickets of Autotask, read."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from shared.clients.autotask_line import Ask, AutotaskLine
from shared.clients.autotask_queries import Op, first_rows, number, rows_of, where
from shared.clients.autotask_rows import DeletionRow, Item, NoteRow, TicketRow, WholeTicketRow, checked
from shared.clients.errors import NotAllowed, NotFound, Refused
from shared.domain.ticketing import Deletion, RemoteTicket, TicketState

log = logging.getLogger(__name__)

COMPLETE = "5"  # the one status that every tenant has


@dataclass(frozen=True, kw_only=True, slots=True)
class Conventions:
    """How a tenant uses Autotask: what else counts as closed, what closing means, and how our notes are kept."""

    closed: frozenset[str] = frozenset({COMPLETE})
    resolved: str = COMPLETE
    note_type: str = "3"  # task notes
    note_audience: str = "1"  # all users of Autotask

    def state_of(self, status: int) -> TicketState:
        is_closed = str(status) in self.closed | {COMPLETE}
        return TicketState.RESOLVED if is_closed else TicketState.OPEN

    def ticket(self, row: TicketRow) -> RemoteTicket:
        return RemoteTicket(
            id=str(row.id),
            number=row.number,
            key=row.key,
            company_id="" if row.company_id is None else str(row.company_id),
            title=row.title,
            status_id=str(row.status),
            state=self.state_of(row.status),
            completed_at=row.completed_at,
            last_activity_at=row.last_activity_at,
        )


def seen(line: AutotaskLine, ids: Sequence[str]) -> list[TicketRow]:
    """Return those tickets that are to be seen, by id."""
    wanted = {number(each) for each in ids}
    return [row for row in rows_of(line, "Tickets", TicketRow, "id", ids) if row.id in wanted]


def one(line: AutotaskLine, ticket_id: str) -> WholeTicketRow:
    """Raise NotFound when it is not to be seen."""
    found = checked(Item, line.call(Ask(method="GET", path=f"Tickets/{number(ticket_id)}"))).item
    if found is None:
        raise NotFound("Autotask shows no such ticket")
    return checked(WholeTicketRow, found)


def by_number(line: AutotaskLine, ticket_number: str) -> TicketRow:
    """Raise NotFound."""
    for row in first_rows(line, "Tickets", TicketRow, where("ticketNumber", Op.EQ, ticket_number), most=10):
        if row.number.lower() == ticket_number.lower():
            return row
    raise NotFound("Autotask shows no ticket of this number")


def by_key(line: AutotaskLine, key: str) -> TicketRow | None:
    """Return the ticket that was made under a key of ours, wherever it was moved since."""
    found = first_rows(line, "Tickets", TicketRow, where("externalID", Op.EQ, key), most=10)
    ours = [row for row in found if row.key == key]
    if len(ours) > 1:
        log.error("several tickets have the same key", extra={"ticket_ids": [row.id for row in ours]})
    return ours[0] if ours else None


def note_by_key(line: AutotaskLine, ticket_id: str, key: str) -> NoteRow | None:
    clauses = (where("ticketID", Op.EQ, number(ticket_id)), where("title", Op.CONTAINS, key))
    found = first_rows(line, "TicketNotes", NoteRow, *clauses, most=10)
    return next((row for row in found if key in row.title and row.ticket_id == number(ticket_id)), None)


def proven_deleted(line: AutotaskLine, ids: Sequence[str]) -> list[Deletion]:
    """Return the proofs: the ticket is in the log of deletions, and asked for by its id it is not there.

    The log is asked first, once for many. Who may not read the log proves nothing.
    """
    wanted = {number(each) for each in ids}
    try:
        logged = [row for row in rows_of(line, "DeletedTicketLogs", DeletionRow, "ticketID", ids) if row.deleted_at]
    except NotAllowed:
        log.warning("the log of deleted tickets can't be read, no deletion can be proven")
        return []
    latest = {row.ticket_id: row for row in logged if row.ticket_id in wanted}
    return [_deletion(row) for row in latest.values() if _is_gone(line, row.ticket_id)]


def _is_gone(line: AutotaskLine, ticket_id: int) -> bool:
    """Tell whether its place is empty; a place that we are not let look at may not be."""
    try:
        one(line, str(ticket_id))
    except NotFound:
        return True
    except (NotAllowed, Refused):
        log.warning("a ticket can't be looked at, its deletion is not proven", extra={"ticket_id": ticket_id})
    return False


def _deletion(row: DeletionRow) -> Deletion:
    assert row.deleted_at is not None
    by = "" if row.deleted_by is None else str(row.deleted_by)
    return Deletion(ticket_id=str(row.ticket_id), number=row.number, deleted_at=row.deleted_at, deleted_by_id=by)
