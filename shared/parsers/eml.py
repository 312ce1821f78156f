"""From the bytes of an `.eml` file to a Mail, whatever is wrong with them.

The standard library's parser with the old `compat32` policy: the new one parses header values with a
grammar that hostile headers can keep busy. Charsets that don't exist or don't fit fall back to what
loses least.
"""

import codecs
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from email import policy
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.parser import BytesParser
from email.utils import parseaddr, parsedate_to_datetime

from shared.domain.mail import Attachment, Mail
from shared.parsers.bounds import YEARS
from shared.parsers.html import plain_text

MAX_MAIL_BYTES = 25_000_000
MAX_BODY_CHARS = 2_000_000
MAX_PARTS = 500
MAX_MESSAGE_ID = 255
MAX_LINES = 1_000_000
MAX_HEADER_CHARS = 2_000  # the library takes a header's parameters apart in quadratic time

# Charsets that no mail has and that decode in quadratic time, or to what isn't text.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "unicode-escape", "undefined"})
# Unicode allows 30 marks on a letter in a stream; sorting a million of them is quadratic too.
_MARKS = re.compile(r"[^\w\x00-\x7f]{31,}")
_HALF_A_SIGN = re.compile(rb"=[0-9A-Fa-f]\Z")
_END_OF_HEADERS = re.compile(rb"\n\r?\n|\r\r")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_META_CHARSET = re.compile(rb"<meta[^>]{0,200}charset=[\"']?([\w-]{2,30})", re.IGNORECASE)


class _BoundedHeaders(policy.Compat32):
    """No header is longer than any real one."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        return name[:MAX_HEADER_CHARS], value[:MAX_HEADER_CHARS]


class NotAMail(Exception):
    """The bytes are no mail at all: nothing in them can be shown or read."""


def mail_from_eml(raw: bytes, *, received_at: datetime | None = None) -> Mail:
    """Return the Mail in `raw`. Raise NotAMail when there is none.

    `received_at` is what the mailbox says; without it the top-most `Received` header counts, then
    `Date`. Of mails forwarded as attachments the innermost report is taken, with the outer
    mail's time of arrival.
    """
    if len(raw) > MAX_MAIL_BYTES:
        raise NotAMail(f"larger than {MAX_MAIL_BYTES // 1_000_000} MB")
    if raw.count(b"\n") + raw.count(b"\r") > MAX_LINES:
        raise NotAMail(f"more than {MAX_LINES} lines")
    try:
        outer = BytesParser(policy=_BoundedHeaders()).parsebytes(raw)
    except (MessageError, RecursionError, ValueError, LookupError, TypeError, AttributeError) as problem:
        raise NotAMail(f"not a mail: {type(problem).__name__}") from problem
    if not outer.keys():
        raise NotAMail("it has no headers")
    arrival, source = _arrival(outer, received_at)
    found = _mail(_innermost(outer), arrival, source)
    return found if _END_OF_HEADERS.search(raw) else replace(found, truncated=True)


def _mail(message: Message, received_at: datetime | None, source: str) -> Mail:
    parts = _Parts(message)
    name, address = _sender(_header(message, "From"))
    html, text = parts.html, parts.text
    return Mail(
        from_address=address.strip().lower()[:320],
        from_name=name,
        subject=_header(message, "Subject"),
        text=text,
        html=html,
        body=text if text.strip() else plain_text(html),
        sent_at=_date(_header(message, "Date")),
        received_at=received_at,
        received_source=source,
        message_id=_header(message, "Message-ID")[:MAX_MESSAGE_ID] or None,
        attachments=tuple(parts.attachments),
        truncated=parts.truncated,
        defects=tuple(sorted({type(defect).__name__ for defect in message.defects})),
    )


def _innermost(message: Message) -> Message:
    for _ in range(10):
        inner = next((part for part in _walk(message) if part.get_content_type() == "message/rfc822"), None)
        payload = inner.get_payload() if inner is not None else None
        if not isinstance(payload, list) or not payload or not isinstance(payload[0], Message):
            return message
        message = payload[0]
    return message


def _walk(message: Message) -> Iterator[Message]:
    """Walk the parts without recursion, at most MAX_PARTS of them; don't enter attached mails."""
    waiting, seen = [message], 0
    while waiting and seen < MAX_PARTS:
        part = waiting.pop()
        seen += 1
        yield part
        if part.is_multipart() and part.get_content_maintype() == "multipart":
            waiting.extend(child for child in reversed(list(part.get_payload())) if isinstance(child, Message))


class _Parts:
    """The first text body, the first HTML body and the names of everything else."""

    def __init__(self, message: Message) -> None:
        self.text = self.html = ""
        self.truncated = False  # by our own limits, or on its way
        self.attachments: list[Attachment] = []
        for part in _walk(message):
            self._add(part)

    def _add(self, part: Message) -> None:
        kind = part.get_content_type()
        if part.get_content_maintype() in ("multipart", "message"):
            return
        name = _or_none(part.get_filename)
        attached = str(part.get("Content-Disposition") or "").lower().startswith("attachment")
        if kind == "text/plain" and not self.text and not attached:
            self.text = self._body(part)
        elif kind == "text/html" and not self.html and not attached:
            self.html = self._body(part)
        elif name or attached:
            self.attachments.append(
                Attachment(name=clean(name or "")[:255], content_type=clean(kind)[:255], size=len(_bytes(part)))
            )

    def _body(self, part: Message) -> str:
        content = _bytes(part)
        text = _decoded(content[: 4 * MAX_BODY_CHARS], _or_none(part.get_content_charset))
        if len(content) > 4 * MAX_BODY_CHARS or len(text) > MAX_BODY_CHARS or _breaks_off(part, content):
            self.truncated = True
        return clean(text[:MAX_BODY_CHARS])


def _breaks_off(part: Message, content: bytes) -> bool:
    """Tell whether a body ends within a quoted-printable sign, as only a mail does that was cut on its way."""
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    return encoding == "quoted-printable" and _HALF_A_SIGN.search(content, len(content) - 2) is not None


def _sender(header: str) -> tuple[str, str]:
    try:
        return parseaddr(header)
    except (RecursionError, ValueError, IndexError):  # a thousand nested comments
        return "", ""


def _or_none(ask: Callable[[], str | None]) -> str | None:
    """Return what the library finds in a header's parameters; invented charsets and mixed forms make it raise."""
    try:
        return ask()
    except (ValueError, LookupError, TypeError, AttributeError):
        return None


def _bytes(part: Message) -> bytes:
    """Return a part's content; where its encoding is broken or of another age, as it stands."""
    if "uu" in str(part.get("Content-Transfer-Encoding", "")).lower():
        del part["Content-Transfer-Encoding"]  # the library decodes it line by line
    try:
        content = part.get_payload(decode=True)
    except (ValueError, LookupError):
        content = str(part.get_payload()).encode("utf-8", "replace")
    return content if isinstance(content, bytes) else b""


def _decoded(content: bytes, declared: str | None) -> str:
    """Decode with the declared charset if it fits, else what the bytes look like, else lossless latin-1."""
    in_html = _META_CHARSET.search(content[:2000])
    guesses = [declared, "utf-8", in_html[1].decode("ascii", "replace") if in_html else None, "cp1252"]
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        guesses.insert(0, "utf-16")
    for charset in filter(None, guesses):
        try:
            if codecs.lookup(charset).name not in _NO_CHARSETS:
                return content.decode(charset)
        except (LookupError, ValueError):
            continue
    return content.decode("latin-1")


def _header(message: Message, name: str) -> str:
    value = message.get(name)
    if value is None:
        return ""
    raw = str(value)[:MAX_HEADER_CHARS]
    try:
        pieces = [
            piece if isinstance(piece, str) else _decoded(piece, None if charset == "unknown-8bit" else charset)
            for piece, charset in decode_header(raw if isinstance(value, str) else value)
        ]
    except (ValueError, LookupError, MessageError):
        pieces = [raw]
    return clean_line("".join(pieces))


def clean_line(text: str) -> str:
    """Return a header's words as every Mail has them: on one line, no longer than any real one."""
    return " ".join(clean(text[:MAX_HEADER_CHARS]).split())


def clean(text: str) -> str:
    """Return text as every Mail has it: lines ended by line feeds, in NFC, without what no column takes."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = _MARKS.sub(lambda run: "".join(sign for sign in run[0] if not unicodedata.combining(sign)), text)
    text = _CONTROL.sub("", text).encode("utf-8", "replace").decode("utf-8")
    return unicodedata.normalize("NFC", text).removeprefix("\ufeff")


def _arrival(message: Message, given: datetime | None) -> tuple[datetime | None, str]:
    if given is not None:
        return given, "mailbox"
    if (hop := _date(_header(message, "Received").rpartition(";")[2])) is not None:
        return hop, "received"
    if (sent := _date(_header(message, "Date"))) is not None:
        return sent, "date"
    return None, "import"


def _date(text: str) -> datetime | None:
    """Return an RFC 5322 date in UTC, or None when no mail can have it. By that standard, without a zone it is UTC."""
    try:
        found = parsedate_to_datetime(text.strip()[:100])
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        return found if found.year in YEARS else None
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
