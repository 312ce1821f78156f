"""The entities and their fields, with the choices of this tenant."""

from collections.abc import Mapping
from dataclasses import dataclass, field

COMPLETE = 5
MERGED_NOTE = 13


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    value: int
    label: str
    is_active: bool = True
    is_system: bool = False
    parent: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Field:
    name: str
    kind: str = "string"
    length: int = 0
    required: bool = False
    read_only: bool = False
    queryable: bool = True
    reference: str = ""
    choices: tuple[Choice, ...] = ()

    @property
    def parent(self) -> str:
        return "issueType" if self.name == "subIssueType" else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Entity:
    plural: str
    singular: str
    fields: Mapping[str, Field] = field(default_factory=dict)

    def find(self, name: str) -> Field | None:
        """Names are taken in any spelling."""
        return next((each for each in self.fields.values() if each.name.lower() == name.lower()), None)


def _ints(names: str, **facts: object) -> list[Field]:
    return [Field(name=name, kind="integer", **facts) for name in names.split()]  # type: ignore[arg-type]


def _texts(names: str, length: int, **facts: object) -> list[Field]:
    return [Field(name=name, length=length, **facts) for name in names.split()]  # type: ignore[arg-type]


def _dates(names: str, **facts: object) -> list[Field]:
    return [Field(name=name, kind="datetime", **facts) for name in names.split()]  # type: ignore[arg-type]


def _choices(name: str, *choices: Choice, **facts: object) -> Field:
    return Field(name=name, kind="integer", choices=choices, **facts)  # type: ignore[arg-type]


def _entity(plural: str, singular: str, *fields: Field) -> Entity:
    every = [Field(name="id", kind="integer", read_only=True), *fields]
    return Entity(plural=plural, singular=singular, fields={each.name: each for each in every})


TICKET = _entity(
    "Tickets", "Ticket",
    Field(name="companyID", kind="integer", required=True, reference="Companies"),
    *_texts("title", 255, required=True),
    _choices("status", Choice(value=1, label="New", is_system=True),
             Choice(value=5, label="Complete", is_system=True), Choice(value=8, label="In progress"),
             Choice(value=21, label="Solved - awaiting confirmation"),
             Choice(value=30, label="On hold", is_active=False), required=True),
    _choices("priority", Choice(value=1, label="High"), Choice(value=2, label="Medium"),
             Choice(value=3, label="Low"), Choice(value=4, label="Critical"), required=True),
    *_dates("dueDateTime"),
    _choices("queueID", Choice(value=29682833, label="Backup"), Choice(value=29682969, label="Service desk"),
             Choice(value=29682970, label="Old queue", is_active=False)),
    *_ints("assignedResourceID", reference="Resources"), *_ints("assignedResourceRoleID", reference="Roles"),
    *_texts("description", 8000), *_texts("resolution", 32000),
    _choices("source", Choice(value=8, label="Monitoring alert"), Choice(value=4, label="E-mail")),
    _choices("issueType", Choice(value=11, label="Backup"), Choice(value=12, label="Network")),
    _choices("subIssueType", Choice(value=111, label="Failed backup", parent=11),
             Choice(value=112, label="Missed backup", parent=11), Choice(value=121, label="Switch", parent=12)),
    _choices("ticketType", Choice(value=1, label="Service request"), Choice(value=2, label="Incident")),
    *_ints("ticketCategory", reference="TicketCategories"),
    *_ints("contactID", reference="Contacts"), *_ints("configurationItemID", reference="ConfigurationItems"),
    *_texts("externalID purchaseOrderNumber", 50), *_texts("changeInfoField1", 8000),
    Field(name="estimatedHours", kind="decimal"),
    *_texts("ticketNumber", 50, read_only=True),
    *_dates("createDate lastActivityDate lastTrackedModificationDateTime completedDate resolvedDateTime",
            read_only=True),
    *_ints("creatorResourceID completedByResourceID lastActivityResourceID", read_only=True),
    *_ints("creatorType lastActivityPersonType", read_only=True, queryable=False),
)  # fmt: skip
NOTE = _entity(
    "TicketNotes", "TicketNote",
    *_ints("ticketID", required=True, reference="Tickets"),
    *_texts("title", 250), *_texts("description", 32000, required=True),
    _choices("noteType", Choice(value=2, label="Task Detail"), Choice(value=3, label="Task Notes"),
             Choice(value=MERGED_NOTE, label="System Workflow Note", is_system=True), required=True),
    _choices("publish", Choice(value=1, label="All Autotask Users"),
             Choice(value=2, label="Internal Project Team"), required=True),
    *_dates("createDateTime lastActivityDate", read_only=True), *_ints("creatorResourceID", read_only=True),
)  # fmt: skip
COMPANY = _entity(
    "Companies", "Company",
    *_texts("companyName", 100, required=True), *_texts("companyNumber", 50), Field(name="isActive", kind="boolean"),
    _choices("companyType", Choice(value=1, label="Customer"), Choice(value=3, label="Prospect"),
             Choice(value=7, label="Vendor")),
    *_ints("parentCompanyID"), *_dates("lastActivityDate", read_only=True),
)  # fmt: skip
DELETION = _entity(
    "DeletedTicketLogs", "DeletedTicketLog",
    *_ints("ticketID deletedByResourceID", read_only=True), *_texts("ticketNumber ticketTitle", 255, read_only=True),
    *_dates("deletedDateTime", read_only=True),
)  # fmt: skip

ENTITIES = {
    each.plural.lower(): each
    for each in (
        TICKET,
        NOTE,
        COMPANY,
        DELETION,
        _entity("Contacts", "Contact", *_ints("companyID isActive"), *_texts("firstName lastName", 50)),
        _entity("Resources", "Resource", *_texts("firstName lastName email userName", 50),
                Field(name="isActive", kind="boolean")),
        _entity("Roles", "Role", *_texts("name", 200), Field(name="isActive", kind="boolean")),
        _entity("ConfigurationItems", "ConfigurationItem", *_ints("companyID"), *_texts("referenceTitle", 255)),
        _entity("TicketCategories", "TicketCategory", *_texts("name", 30)),
        _entity("AttachmentInfo", "AttachmentInfo", *_ints("parentID ticketID"), *_texts("title", 255)),
    )
}  # fmt: skip


def described(each: Field) -> dict[str, object]:
    """Return a field as `entityInformation/fields` does: the values of choices are text there."""
    return {
        "name": each.name, "dataType": each.kind, "length": each.length, "isRequired": each.required,
        "isReadOnly": each.read_only, "isQueryable": each.queryable, "isReference": bool(each.reference),
        "referenceEntityType": each.reference, "isPickList": bool(each.choices),
        "picklistValues": [_described(place, choice) for place, choice in enumerate(each.choices, 1)] or None,
        "picklistParentValueField": each.parent, "isSupportedWebhookField": True,
    }  # fmt: skip


def _described(place: int, choice: Choice) -> dict[str, object]:
    return {
        "value": str(choice.value), "label": choice.label, "isDefaultValue": False, "sortOrder": place,
        "parentValue": "" if choice.parent is None else str(choice.parent), "isActive": choice.is_active,
        "isSystem": choice.is_system,
    }  # fmt: skip
