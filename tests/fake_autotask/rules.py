"""What Autotask takes when a ticket or a note is written, and what becomes of what it takes."""

from typing import Any

from tests.fake_autotask.access import NO_PERMISSION
from tests.fake_autotask.schema import ENTITIES, NOTE, TICKET, Entity, Field
from tests.fake_autotask.wire import Refusal
from tests.fake_autotask.world import OURSELVES, WRITABLE, Row, User, World

CREATING = "Error creating entity for record number [1]."
UPDATING = "Error updating entity for record number [1]."


def create_ticket(world: World, user: User, facts: dict[str, Any]) -> int:
    """Return the id of the new ticket. Raise Refusal."""
    row = _known(world, TICKET, facts, CREATING)
    if not user.may_write:
        raise Refusal(500, NO_PERMISSION.format("create"), CREATING)
    if world.rules.refuses_null and any(value is None for value in facts.values()):
        raise Refusal(500, "Object reference not set to an instance of an object.", CREATING)
    needed = [each.name for each in TICKET.fields.values() if each.required]
    _check_required(row, [*needed, *(["dueDateTime"] if world.rules.needs_due_date else [])], CREATING)
    _check_assignment(row, CREATING)
    _check_values(world, TICKET, row, CREATING)
    return int(world.add_ticket(row, by=OURSELVES)["id"])


def patch_ticket(world: World, user: User, facts: dict[str, Any]) -> int:
    """Change what is named, no more. Raise Refusal."""
    row = _to_change(world, user, facts)
    changes = _known(world, TICKET, facts, UPDATING)
    _check_required(row | changes, [each.name for each in TICKET.fields.values() if each.required], UPDATING)
    _check_values(world, TICKET, changes, UPDATING)
    return _written(world, row, changes)


def put_ticket(world: World, user: User, facts: dict[str, Any]) -> int:
    """Replace a ticket: every field that is not named becomes empty. Raise Refusal."""
    row = _to_change(world, user, facts)
    whole = dict.fromkeys(WRITABLE) | _known(world, TICKET, facts, UPDATING)
    _check_required(whole, [each.name for each in TICKET.fields.values() if each.required], UPDATING)
    _check_assignment(whole, UPDATING)
    _check_values(world, TICKET, whole, UPDATING)
    return _written(world, row, whole)


def create_note(world: World, user: User, ticket_id: int, facts: dict[str, Any]) -> int:
    """Return the id of the new note. Raise Refusal."""
    ticket = world.tickets.get(ticket_id)
    if ticket is None or not user.sees(ticket):
        raise Refusal(500, "Value does not reference an existing entity for ticketID. ", CREATING)
    row = _known(world, NOTE, facts, CREATING) | {"ticketID": ticket_id}
    _check_required(row, [each.name for each in NOTE.fields.values() if each.required], CREATING)
    _check_values(world, NOTE, row, CREATING)
    note = world.add_note(
        ticket, row.get("title") or "", row["description"], note_type=row["noteType"], publish=row["publish"]
    )
    return int(note["id"])


def _to_change(world: World, user: User, facts: dict[str, Any]) -> Row:
    ticket_id = next((value for name, value in facts.items() if name.lower() == "id"), None)
    row = world.tickets.get(ticket_id) if isinstance(ticket_id, int) else None
    if row is None or not user.sees(row):
        raise Refusal(500, "No matching records found.", UPDATING)
    if not user.may_write:
        raise Refusal(500, NO_PERMISSION.format("update"), UPDATING)
    return row


def _written(world: World, row: Row, changes: Row) -> int:
    if "description" in changes:
        world.write_description(row, changes.pop("description"))
    row |= changes
    world.touch(row)
    world.complete_or_reopen(row, by=OURSELVES)
    return int(row["id"])


def _known(world: World, entity: Entity, facts: dict[str, Any], doing: str) -> Row:
    """Return the fields that can be written, under their right names."""
    row = {}
    for name, value in facts.items():
        field = entity.find(name)
        if field is None and world.rules.refuses_unknown_keys:
            raise Refusal(500, f"Unable to find {name} in the {entity.singular} Entity.", doing)
        if field is not None and field.read_only and field.name != "id" and world.rules.refuses_read_only_keys:
            raise Refusal(500, f"{field.name} can not be edited.", doing)
        if field is not None and not field.read_only:
            row[field.name] = value
    return row


def _check_required(row: Row, names: list[str], doing: str) -> None:
    for name in names:
        if row.get(name) is None:
            raise Refusal(500, f"Missing Required Field: {name}. ", doing)


def _check_assignment(row: Row, doing: str) -> None:
    resource, role = row.get("assignedResourceID"), row.get("assignedResourceRoleID")
    if (resource is None) != (role is None):
        raise Refusal(
            500,
            "When assigning a Resource, you must assign both a assignedResourceID and assignedResourceRoleID.",
            doing,
        )
    if resource is None and row.get("queueID") is None:
        raise Refusal(
            500,
            "Data violation: AssignedResourceID, AssignedResourceRoleID, and QueueID cannot all be empty",
            doing,
        )


def _check_values(world: World, entity: Entity, row: Row, doing: str) -> None:
    for name, value in row.items():
        field = entity.fields[name]
        if value is None:
            continue
        if field.length and len(str(value).encode("utf-16-le")) > 2 * field.length:
            raise Refusal(500, f"Maximum length of {field.length} is exceeded for field {name}.", doing)
        if field.choices:
            _check_choice(field, value, row, doing)
        if field.reference:
            _check_reference(world, field, value, row, doing)


def _check_choice(field: Field, value: Any, row: Row, doing: str) -> None:
    choice = next((each for each in field.choices if each.value == value), None)
    if choice is None or not choice.is_active:
        raise Refusal(500, f"Picklist value [{value}] does not exist for {field.name}.", doing)
    if choice.parent is not None and row.get(field.parent) not in (None, choice.parent):
        raise Refusal(500, f"Picklist value [{value}] does not exist for {field.name}.", doing)


def _check_reference(world: World, field: Field, value: Any, row: Row, doing: str) -> None:
    found = world.rows[ENTITIES[field.reference.lower()].plural].get(value) if isinstance(value, int) else None
    is_active = found is not None and found.get("isActive") not in (False, 0)
    is_others = found is not None and found.get("companyID") not in (None, row.get("companyID", found.get("companyID")))
    if found is None or not is_active or (field.name != "ticketID" and is_others):
        raise Refusal(500, f"Value does not reference an existing entity for {field.name}. ", doing)
