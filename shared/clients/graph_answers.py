"""What Graph answers, checked where it enters: only the few fields that we use."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, TypeVar

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints, ValidationError

from shared.clients.errors import (
    BadAnswer,
    BadCredentials,
    NotAllowed,
    NotFound,
    Refused,
    SyncStateLost,
    Throttled,
    Unavailable,
    Upstream,
)
from shared.clients.patience import retry_after

LOST_STATES = frozenset({"syncstatenotfound", "syncstateinvalid", "resyncrequired"})

Id = Annotated[str, StringConstraints(min_length=1)]
Answer = TypeVar("Answer", bound=BaseModel)


class Items(BaseModel):
    """A page of anything."""

    value: list[Any]
    next_link: str | None = Field(default=None, alias="@odata.nextLink")
    delta_link: str | None = Field(default=None, alias="@odata.deltaLink")


class MessageHead(BaseModel):
    id: Id
    received_at: AwareDatetime = Field(alias="receivedDateTime")


class ItemId(BaseModel):
    id: Id


class FolderAnswer(BaseModel):
    id: Id
    name: str = Field(alias="displayName")
    children: int = Field(default=0, alias="childFolderCount")
    total: int = Field(default=0, alias="totalItemCount")


class SubscriptionAnswer(BaseModel):
    id: Id
    resource: str
    expires_at: AwareDatetime = Field(alias="expirationDateTime")
    notification_url: str = Field(default="", alias="notificationUrl")


class PartAnswer(BaseModel):
    """The answer to one part of a batch."""

    id: str
    status: int
    headers: dict[str, str] | None = None
    body: Any = None


class BatchAnswer(BaseModel):
    responses: list[PartAnswer]


def checked(kind: type[Answer], body: bytes) -> Answer:
    """Return the answer of that kind. Raise BadAnswer."""
    try:
        return kind.model_validate(as_json(body))
    except ValidationError as problem:
        raise BadAnswer(f"Microsoft Graph's answer is no {kind.__name__}") from problem


def as_json(body: bytes) -> Any:
    """Raise BadAnswer. The standard library's parser, because Rust's refuses the halves of signs that mails hold."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise BadAnswer("Microsoft Graph's answer is no JSON") from problem


def as_json_bytes(facts: Any) -> bytes:
    return json.dumps(facts).encode()


def error_of(status: int, headers: Mapping[str, str], body: bytes, *, now: datetime) -> Upstream | None:
    """Return what a status means, None for a good one."""
    if 200 <= status < 300:
        return None
    code = error_code(body)
    said = f"Microsoft Graph answered {status}{f' ({code})' if code else ''}"
    if status == 410 or (400 <= status < 500 and code.lower() in LOST_STATES):
        return SyncStateLost(said)
    wait = retry_after(headers, now)
    if status == 429 or (status == 503 and wait is not None):
        return Throttled(said, retry_after=wait)
    if status >= 500 or status == 408:
        return Unavailable(said)
    if status >= 400 and status not in _OF_STATUS:
        return Refused(said, status=status, code=code)
    return _OF_STATUS.get(status, BadAnswer)(said)


_OF_STATUS: dict[int, type[Upstream]] = {401: BadCredentials, 403: NotAllowed, 404: NotFound}


def error_code(body: bytes) -> str:
    """Return Graph's word for an error, empty when there is none. Never its message: that may name people."""
    try:
        facts = json.loads(body)
        code = facts["error"]["code"]
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""
    return code if isinstance(code, str) and re.fullmatch(r"[\w.]{1,60}", code) else ""
