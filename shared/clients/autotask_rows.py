"""The rows that Autotask hands out: only the few fields that we use, and none that we must not send back."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from shared.clients.errors import BadAnswer

INSTANT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d{1,6})?\d*(Z|[+-]\d\d:\d\d)?", re.ASCII)

Row = TypeVar("Row", bound=BaseModel)


def _moment(value: Any) -> Any:
    """Autotask means UTC, with or without saying so, and with up to seven digits of a second."""
    if not isinstance(value, str) or not value.strip():
        return None
    found = INSTANT.fullmatch(value.strip())
    if found is None:
        raise ValueError("no moment")
    at = datetime.fromisoformat(f"{found[1]}{found[2] or ''}{found[3] or 'Z'}")
    return at.astimezone(UTC)


def _text(value: Any) -> Any:
    return "" if value is None else value


Moment = Annotated[datetime | None, BeforeValidator(_moment)]
Text = Annotated[str, BeforeValidator(_text)]


class TicketRow(BaseModel):
    id: int
    number: Text = Field(alias="ticketNumber")
    key: Text = Field(default="", alias="externalID")
    company_id: int | None = Field(default=None, alias="companyID")
    title: Text = ""
    status: int
    completed_at: Moment = Field(default=None, alias="completedDate")
    last_activity_at: Moment = Field(default=None, alias="lastActivityDate")


class WholeTicketRow(TicketRow):
    """With what only the ticket that is being changed is asked for: it may be long."""

    resolution: Text = ""


class CompanyRow(BaseModel):
    id: int
    name: Text = Field(alias="companyName")
    number: Text = Field(default="", alias="companyNumber")
    is_active: bool = Field(alias="isActive")


class DeletionRow(BaseModel):
    id: int
    ticket_id: int = Field(alias="ticketID")
    number: Text = Field(default="", alias="ticketNumber")
    deleted_at: Moment = Field(alias="deletedDateTime")
    deleted_by: int | None = Field(default=None, alias="deletedByResourceID")


class NoteRow(BaseModel):
    id: int
    ticket_id: int = Field(alias="ticketID")
    title: Text = ""


class ChoiceRow(BaseModel):
    value: str
    label: Text = ""
    is_active: bool = Field(default=True, alias="isActive")
    is_default: bool = Field(default=False, alias="isDefaultValue")
    position: int = Field(default=0, alias="sortOrder")
    parent: Text = Field(default="", alias="parentValue")


class FieldRow(BaseModel):
    name: str
    is_queryable: bool = Field(default=True, alias="isQueryable")
    choices: Annotated[list[ChoiceRow], BeforeValidator(lambda value: value or [])] = Field(
        default=[], alias="picklistValues"
    )


class Fields(BaseModel):
    fields: list[FieldRow]


class Items(BaseModel):
    items: list[Any]


class Item(BaseModel):
    """One record, or none: what is not to be seen is no error to Autotask."""

    item: Any


class Made(BaseModel):
    item_id: int = Field(alias="itemId", gt=0)


class EntityInfo(BaseModel):
    can_create: bool = Field(default=False, alias="canCreate")
    can_update: bool = Field(default=False, alias="canUpdate")


class EntityAnswer(BaseModel):
    info: EntityInfo


class Threshold(BaseModel):
    limit: int = Field(alias="externalRequestThreshold")
    used: int = Field(alias="currentTimeframeRequestCount")


def checked(kind: type[Row], facts: Mapping[str, Any]) -> Row:
    """Return the row. Raise BadAnswer, which names fields and holds none."""
    try:
        return kind.model_validate(facts)
    except ValidationError as problem:
        names = sorted({str(error["loc"][0]) if error["loc"] else "" for error in problem.errors()})
    raise BadAnswer(f"Autotask's answer is no {kind.__name__}: {', '.join(names)}")
