"""The tenant: its rows, its users, and what people do there without us."""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fake_autotask.schema import COMPLETE, ENTITIES, MERGED_NOTE, TICKET

USER = "api-backupchecks@msp.example"
SECRET = USER[::-1]  # any text will do
CODE = "SYNTHETICTRACKINGIDENTIFIER"
TECHNICIAN = 29683007
OURSELVES = 29683001

Row = dict[str, Any]


@dataclass(kw_only=True)
class User:
    secret: str = SECRET
    is_api_user: bool = True
    is_locked: bool = False
    failures: int = 0
    may_read_deletions: bool = True
    may_write: bool = True
    sees: Callable[[Row], bool] = lambda row: True


@dataclass(kw_only=True)
class Rules:
    """Where the documentation leaves room, either way."""

    needs_due_date: bool = True
    refuses_null: bool = True
    refuses_unknown_keys: bool = False
    refuses_read_only_keys: bool = False
    reopening_clears_completion: bool = True
    lock_after: int = 5
    throttle_status: int = 429
    retry_after: str | None = None
    latency_factor: float = 0.0
    hour_limit: int = 10_000


@dataclass(kw_only=True)
class World:
    """Everything that several servers of one tenant share. Hold `lock` while touching it."""

    now: Callable[[], datetime]
    rules: Rules = field(default_factory=Rules)
    users: dict[str, User] = field(default_factory=lambda: {USER: User()})
    codes: set[str] = field(default_factory=lambda: {CODE})
    rows: dict[str, dict[int, Row]] = field(default_factory=lambda: {each.plural: {} for each in ENTITIES.values()})
    lock: threading.RLock = field(default_factory=threading.RLock)
    used: int = 0
    rich_text_lost: int = 0
    unknown_operators: list[str] = field(default_factory=list)
    last_id: int = 48_000
    zone_url: str = ""
    zone_root: str = ""  # of the one server that lets the tenant in

    def __post_init__(self) -> None:
        self.add("Companies", {"companyName": "Managed services", "isActive": True, "companyType": 1}, row_id=0)
        self.add("Roles", {"name": "Engineer", "isActive": True}, row_id=1)
        self.add("Resources", {"firstName": "Tech", "lastName": "One", "isActive": True}, row_id=TECHNICIAN)

    @property
    def tickets(self) -> dict[int, Row]:
        return self.rows["Tickets"]

    def new_id(self) -> int:
        self.last_id += 1
        return self.last_id

    def stamp(self) -> str:
        """The moment as Autotask writes it: as many digits of the second as it needs."""
        at = self.now().astimezone(UTC)
        digits = f".{at.microsecond // 1000:03}".rstrip("0").rstrip(".")
        return f"{at:%Y-%m-%dT%H:%M:%S}{digits}Z"

    def add(self, plural: str, facts: Row, *, row_id: int | None = None) -> Row:
        """Store a row with every field of its entity."""
        known = ENTITIES[plural.lower()].fields
        row_id = self.new_id() if row_id is None else row_id
        row = dict.fromkeys(known) | facts | {"id": row_id}
        row.setdefault("userDefinedFields", [])
        self.rows[plural][row_id] = row
        return row

    def add_ticket(self, facts: Row, *, by: int = TECHNICIAN) -> Row:
        at = self.now()
        defaults = {
            "companyID": 0, "title": "Somebody's ticket", "status": 1, "priority": 2, "queueID": 29682833,
            "dueDateTime": self.stamp(), "description": "", "resolution": "",
            "ticketNumber": f"T{at:%Y%m%d}.{len(self.tickets) + 1:04}", "createDate": self.stamp(),
            "lastActivityDate": self.stamp(), "creatorResourceID": by,
        }  # fmt: skip
        row = self.add("Tickets", defaults | facts)
        row["_rich"] = row["description"] or ""
        row["description"] = plain(row["description"])
        self.complete_or_reopen(row, by=by)
        return row

    def edit_ticket(self, ticket_id: int, facts: Row) -> None:
        """A technician edits a ticket in his browser, where a description keeps its formatting."""
        row = self.tickets[ticket_id]
        row |= facts
        if "description" in facts:
            row["_rich"], row["description"] = facts["description"], plain(facts["description"])
        self.touch(row)
        if "status" in facts:
            self.complete_or_reopen(row, by=TECHNICIAN)

    def write_description(self, row: Row, text: str | None) -> None:
        """Write through the API: whatever formatting was there is gone."""
        self.rich_text_lost += 1
        row["_rich"] = text or ""
        row["description"] = plain(text)

    def complete_or_reopen(self, row: Row, *, by: int) -> None:
        if row["status"] == COMPLETE:
            row["completedDate"] = row["completedDate"] or self.stamp()
            row["completedByResourceID"] = row["completedByResourceID"] or by
        elif self.rules.reopening_clears_completion:
            row["completedDate"] = row["completedByResourceID"] = None

    def touch(self, row: Row) -> None:
        row["lastActivityDate"] = row["lastTrackedModificationDateTime"] = self.stamp()

    def delete_ticket(self, ticket_id: int) -> None:
        row = self.tickets.pop(ticket_id)
        self.add("DeletedTicketLogs", {
            "ticketID": ticket_id, "ticketNumber": row["ticketNumber"], "ticketTitle": row["title"],
            "deletedByResourceID": TECHNICIAN, "deletedDateTime": self.stamp(),
        })  # fmt: skip

    def merge_tickets(self, source_id: int, target_id: int) -> None:
        """The source stays, complete; what it said moves to the target as a note."""
        source, target = self.tickets[source_id], self.tickets[target_id]
        self.edit_ticket(source_id, {"status": COMPLETE})
        for row, text in (
            (source, f"This ticket was merged into {target['ticketNumber']}."),
            (target, f"{source['ticketNumber']} was merged into this ticket."),
        ):
            self.add_note(row, "Ticket merged", text, note_type=MERGED_NOTE, publish=1)
        self.add_note(target, source["title"], source["description"] or "", note_type=3, publish=2)

    def add_note(self, ticket: Row, title: str, text: str, *, note_type: int, publish: int) -> Row:
        self.touch(ticket)
        return self.add("TicketNotes", {
            "ticketID": ticket["id"], "title": title, "description": text, "noteType": note_type, "publish": publish,
            "createDateTime": self.stamp(), "lastActivityDate": self.stamp(),
        })  # fmt: skip


def plain(text: str | None) -> str | None:
    return None if text is None else re.sub(r"<[^>]*>", "", text)


def without_secrets(row: Row) -> Row:
    """Return what the API shows of a row."""
    return {name: value for name, value in row.items() if not name.startswith("_")}


WRITABLE = [each.name for each in TICKET.fields.values() if not each.read_only]
