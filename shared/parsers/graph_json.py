"""From the JSON of a message in Microsoft Graph to a Mail, cleaned and held to the same limits as an `.eml` file.

Graph gives one body, HTML where the mail has some, and only tells whether there are attachments: neither their names
nor a report that somebody forwarded as one. Where that matters the whole mail is asked for.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from shared.domain.mail import Mail
from shared.parsers.bounds import YEARS
from shared.parsers.eml import MAX_BODY_CHARS, MAX_MAIL_BYTES, MAX_MESSAGE_ID, NotAMail, clean, clean_line
from shared.parsers.html import plain_text


def _storable(said: object) -> object:
    """Take null for an empty text, and replace halves of surrogate pairs: JSON may hold them, text may not."""
    if said is None:
        return ""
    return said.encode("utf-8", "replace").decode("utf-8") if isinstance(said, str) else said


Text = Annotated[str, BeforeValidator(_storable)]


class _Address(BaseModel):
    name: Text = ""
    address: Text = ""


class _Person(BaseModel):
    address: _Address = Field(default=_Address(), alias="emailAddress")


class _Body(BaseModel):
    kind: Annotated[Literal["html", "text"], BeforeValidator(lambda said: str(said).lower())] = Field(
        alias="contentType"
    )
    content: Text


class _Message(BaseModel):
    subject: Text = ""
    author: _Person | None = Field(default=None, alias="from")
    sender: _Person | None = None
    message_id: Text = Field(default="", alias="internetMessageId")
    sent: Text = Field(default="", alias="sentDateTime")
    has_attachments: bool = Field(default=False, alias="hasAttachments")
    body: _Body

    @property
    def from_address(self) -> _Address:
        """Who wrote it, or else who sent it on behalf of nobody that is named."""
        people = [person.address for person in (self.author, self.sender) if person is not None]
        return next((each for each in people if each.address.strip()), _Address())


@dataclass(frozen=True, kw_only=True, slots=True)
class GraphMessage:
    """A message as its JSON tells it; `has_attachments`: the whole mail may say more."""

    mail: Mail
    has_attachments: bool


def message_from_json(content: bytes, *, received_at: datetime) -> GraphMessage:
    """Return the message in `content`. Raise NotAMail when it is none, or none that Graph would send."""
    message = _validated(content)
    who = message.from_address
    body = clean(message.body.content[:MAX_BODY_CHARS])
    html, text = (body, "") if message.body.kind == "html" else ("", body)
    address, name = clean_line(who.address), clean_line(who.name)
    mail = Mail(
        from_address=address.lower()[:320],
        from_name="" if name == address else name,  # Graph repeats the address of who has no name
        subject=clean_line(message.subject),
        text=text,
        html=html,
        body=text if text.strip() else plain_text(html),
        sent_at=_instant(message.sent),
        received_at=received_at,
        received_source="mailbox",
        message_id=clean_line(message.message_id)[:MAX_MESSAGE_ID] or None,
        truncated=len(message.body.content) > MAX_BODY_CHARS,
    )
    return GraphMessage(mail=mail, has_attachments=message.has_attachments)


def subject_in(content: bytes) -> str:
    """Return the subject, an empty text where there is none to be found; for what can't be read otherwise."""
    try:
        said = _json(content).get("subject")
    except NotAMail:
        return ""
    return clean_line(said) if isinstance(said, str) else ""


def _validated(content: bytes) -> _Message:
    try:
        return _Message.model_validate(_json(content))
    except ValidationError as problem:
        places = sorted({".".join(str(step) for step in error["loc"]) for error in problem.errors()})
        raise NotAMail(f"not a message as Graph sends it: {', '.join(places)[:200]}") from problem


def _json(content: bytes) -> dict[str, Any]:
    if len(content) > MAX_MAIL_BYTES:
        raise NotAMail(f"larger than {MAX_MAIL_BYTES // 1_000_000} MB")
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as problem:  # nested deeper than Python goes
        raise NotAMail(f"not JSON: {type(problem).__name__}") from problem
    if not isinstance(found, dict):
        raise NotAMail("not a message as Graph sends it")
    return found


def _instant(text: str) -> datetime | None:
    """Return a time as Graph writes it, None for one that no mail can have (0001 stands for none)."""
    try:
        found = datetime.fromisoformat(text[:40])
    except ValueError:
        return None
    if found.year not in YEARS:
        return None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
