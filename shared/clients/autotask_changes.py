"""What we make and change in Autotask.

Changes go as PATCH to the collection and hold only what changes: a PUT empties every field that it leaves out, and a
description that is read and sent back loses its formatting and images. So no description is ever sent to a ticket that
exists.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

from shared.clients import autotask_tickets as tickets
from shared.clients.autotask_line import Ask, AutotaskLine
from shared.clients.autotask_queries import number
from shared.clients.autotask_rows import Made, TicketRow, WholeTicketRow, checked
from shared.clients.errors import AnotherTicket, BadAnswer, OutcomeUnknown, Refused, Upstream
from shared.domain.ticketing import KnownAs, Mismatch, NoteDraft, TicketChange, TicketDraft

TITLE = 255
DESCRIPTION = 8_000
RESOLUTION = 32_000
NOTE_TITLE = 250
NOTE_TEXT = 32_000
LOOKS = (2.0, 3.0, 5.0)  # seconds before each look for what may have been made


def create(line: AutotaskLine, draft: TicketDraft, *, may_exist: bool) -> TicketRow:
    """Return the ticket of the draft's key, made now or by an attempt whose answer was lost.

    Never sends twice: where looking finds nothing, Autotask may still be at work, and OutcomeUnknown says how long.
    """
    if may_exist and (found := tickets.by_key(line, draft.key)):
        return found
    try:
        ticket_id = _made(line, Ask(method="POST", path="Tickets", body=_fields_of(draft), makes=True))
    except OutcomeUnknown:
        for pause in LOOKS:
            line.pause(pause)
            if found := _found(line, draft.key):
                return found
        raise
    return _as_made(line, ticket_id, draft)


def to_be_changed(line: AutotaskLine, ticket_id: str, known: KnownAs | None) -> WholeTicketRow:
    """Return the ticket as it is before a change. Raise AnotherTicket where it is not the one that is known."""
    row = tickets.one(line, ticket_id)
    company_id = "" if row.company_id is None else str(row.company_id)
    match known and known.mismatch(row.number, company_id):
        case Mismatch.COMPANY:
            raise AnotherTicket("At Autotask this is now another company's ticket: nothing was sent to it")
        case Mismatch.NUMBER:
            raise AnotherTicket(f"At Autotask another ticket has its id, {row.number}: nothing was sent to it")
    return row


def patch(line: AutotaskLine, ticket_id: str, change: TicketChange) -> None:
    """Change what the change names. Absolute values: to do it again does no harm."""
    fields = {
        "id": number(ticket_id),
        **_numbers(status=change.status_id, priority=change.priority_id, queueID=change.queue_id),
        **({"resolution": _cut(change.resolution, RESOLUTION)} if change.resolution else {}),
    }
    line.call(Ask(method="PATCH", path="Tickets", body=fields))


def with_added(resolution: str, text: str) -> str:
    """Return the resolution with our text below, or empty when nothing is to be written."""
    if not text.strip() or text in resolution:
        return ""
    both = f"{resolution.rstrip()}\n\n{text}" if resolution.strip() else text
    return both if len(both) <= RESOLUTION else ""  # what a technician wrote is worth more than our line


def add_note(
    line: AutotaskLine,
    ticket_id: str,
    note: NoteDraft,
    *,
    conventions: tickets.Conventions,
    may_exist: bool,
    known: KnownAs | None,
) -> str:
    """Return the note's id. As with tickets, nothing is sent twice."""
    if may_exist and (found := tickets.note_by_key(line, ticket_id, note.key)):
        return str(found.id)
    if known is not None:
        to_be_changed(line, ticket_id, known)
    body = {
        "title": _note_title(note),
        "description": _cut(note.text, NOTE_TEXT),
        "noteType": number(conventions.note_type),
        "publish": number(conventions.note_audience),
    }
    return str(_made(line, Ask(method="POST", path=f"Tickets/{number(ticket_id)}/Notes", body=body, makes=True)))


def _made(line: AutotaskLine, ask: Ask) -> int:
    answer = line.call(ask)
    try:
        return checked(Made, answer).item_id
    except BadAnswer as problem:
        raise OutcomeUnknown(f"{problem}: made or not", settles_in=timedelta()) from problem


def _found(line: AutotaskLine, key: str) -> TicketRow | None:
    """What goes wrong with looking does not matter here: the outcome stays unknown."""
    try:
        return tickets.by_key(line, key)
    except Upstream:
        return None


def _as_made(line: AutotaskLine, ticket_id: int, draft: TicketDraft) -> TicketRow:
    """Return the ticket as it is now, or as we sent it: it was made, whatever hinders us from reading it."""
    try:
        return tickets.one(line, str(ticket_id))
    except Upstream:
        facts = {"id": ticket_id, "ticketNumber": "", "externalID": draft.key, "title": draft.title}
        return checked(TicketRow, {**facts, "companyID": int(draft.company_id), "status": int(draft.status_id)})


def _fields_of(draft: TicketDraft) -> dict[str, Any]:
    """Fields without a value are left out: null is refused."""
    if not draft.key or len(draft.key) > 50:
        raise Refused("a ticket without a key of 50 characters at most could be made twice")
    return {
        "companyID": number(draft.company_id),
        "title": _cut(draft.title, TITLE),
        "description": _cut(draft.description, DESCRIPTION),
        "externalID": draft.key,
        "dueDateTime": _instant(draft.due_at),
        **_numbers(
            status=draft.status_id,
            priority=draft.priority_id,
            queueID=draft.queue_id,
            source=draft.source_id,
            issueType=draft.issue_type_id,
            subIssueType=draft.sub_issue_type_id,
        ),
    }


def _numbers(**ids: str) -> dict[str, int]:
    return {name: number(value) for name, value in ids.items() if value}


def _note_title(note: NoteDraft) -> str:
    mark = f" [{note.key}]"
    return _cut(note.title, NOTE_TITLE - len(mark)) + mark


def _cut(text: str, longest: int) -> str:
    """Autotask counts as .NET does: a sign outside the basic plane is two."""
    units = text.encode("utf-16-le", "surrogatepass")
    if len(units) <= 2 * longest:
        return text
    return units[: 2 * longest - 2].decode("utf-16-le", "ignore") + "…"


def _instant(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"
