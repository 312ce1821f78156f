"""From an `.eml` file to the message that Graph would show."""

import email
from datetime import UTC, datetime
from email import policy
from email.message import EmailMessage
from email.utils import parseaddr, parsedate_to_datetime
from pathlib import Path
from typing import Any


def message_fields(raw: bytes) -> dict[str, Any]:
    """Return the JSON properties of a mail, without those that the mailbox gives it."""
    mail = email.message_from_bytes(raw, policy=policy.compat32)
    name, address = parseaddr(_text(mail["From"]))
    sender = {"emailAddress": {"name": name or address, "address": address}}
    sent_at = sent(raw)
    return {
        "subject": _text(mail["Subject"]),
        "from": sender,
        "sender": sender,
        "internetMessageId": _text(mail["Message-ID"]) or None,
        "sentDateTime": sent_at.strftime("%Y-%m-%dT%H:%M:%SZ") if sent_at else None,
        "hasAttachments": any(_is_attached(part) for part in mail.walk()),
        "body": _body(mail),
    }


def sent(raw: bytes) -> datetime | None:
    """Return the mail's own `Date`."""
    header = email.message_from_bytes(raw, policy=policy.compat32)["Date"]
    try:
        moment = parsedate_to_datetime(_text(header))
    except (TypeError, ValueError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def make_eml(*, subject: str, body: str, sender: str, html: bool, sent_at: datetime, attachment: bytes | None) -> bytes:
    """Return a mail made of what a test says; `attachment` is the bytes of another mail that this one carries."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "reports@msp.example", subject
    mail["Date"] = sent_at
    mail.set_content(body, subtype="html" if html else "plain")
    if attachment is not None:
        mail.add_attachment(email.message_from_bytes(attachment, policy=policy.default))
    return mail.as_bytes()


def eml_files(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted(folder.rglob("*.eml"))]


def _body(mail: email.message.Message) -> dict[str, str]:
    """HTML where there is some, as Graph gives it; what is attached is no body."""
    parts = [part for part in _own_parts(mail) if not _is_attached(part)]
    for kind, name in (("text/html", "html"), ("text/plain", "text")):
        for part in parts:
            if part.get_content_type() == kind:
                return {"contentType": name, "content": _decoded(part)}
    return {"contentType": "text", "content": ""}


def _own_parts(mail: email.message.Message) -> list[email.message.Message]:
    if mail.get_content_maintype() != "multipart":
        return [mail]
    found = []
    for part in mail.get_payload():
        if isinstance(part, email.message.Message) and part.get_content_type() != "message/rfc822":
            found.extend(_own_parts(part))
    return found


def _is_attached(part: email.message.Message) -> bool:
    stated = str(part.get("Content-Disposition") or "").lower().startswith("attachment")
    return stated or part.get_content_type() == "message/rfc822"


def _decoded(part: email.message.Message) -> str:
    payload = part.get_payload(decode=True)
    raw = payload if isinstance(payload, bytes) else b""
    try:
        return raw.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:
        return raw.decode("latin-1")


def _text(header: object) -> str:
    if header is None:
        return ""
    try:
        return str(email.header.make_header(email.header.decode_header(str(header))))
    except (LookupError, UnicodeError, email.errors.HeaderParseError):
        return str(header)
