"""A mail as parsers see it: decoded, bounded, free of the wire format."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True, slots=True)
class Attachment:
    """One attached file, its content never opened here: parsers read names and types only."""

    name: str
    content_type: str
    size: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Mail:
    """One report mail: the innermost report where somebody forwarded it as an attachment.

    `subject`, `text`, `html` and `body` are Unicode in NFC with lines ended by line feeds; what is absent is
    an empty string. `body` is what a reader sees: the text part, or else the plain text of `html`.
    `sent_at` is the report's own `Date` header, `received_at` when the mailbox got it, found as
    `received_source` says ("received", "date" or "import").
    """

    from_address: str
    from_name: str = ""
    subject: str = ""
    text: str = ""
    html: str = ""
    body: str = ""
    sent_at: datetime | None = None
    received_at: datetime | None = None
    received_source: str = "import"
    message_id: str | None = None
    attachments: tuple[Attachment, ...] = ()
    truncated: bool = False  # cut by our size limit or on its way: it can prove trouble, never success
    defects: tuple[str, ...] = ()
