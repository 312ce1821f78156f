"""How a reading of a mail ends, and where a mail is."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Source(StrEnum):
    """How a mail reached us."""

    GRAPH = "graph"
    FOLDER = "folder"
    UPLOAD = "upload"
    API = "api"


class Location(StrEnum):
    """Where people find a mail."""

    INBOX = "inbox"
    PROCESSED = "processed"
    DELETED = "deleted"


class Ending(StrEnum):
    """The outcome of one reading: exactly one of these, always."""

    RUN = "run"
    INBOX = "inbox"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    ARCHIVED = "archived"
    DISMISSED = "dismissed"
    EVENT = "event"
    QUARANTINED = "quarantined"


class InboxReason(StrEnum):
    """Why a reading waits for a person."""

    NEW_JOB = "new_job"
    UNREADABLE = "unreadable"
    UNRECOGNISED = "unrecognised"
    AMBIGUOUS = "ambiguous"


class MimeState(StrEnum):
    """Whether the mailbox was asked for the whole mail with attachments: only where the body does not say enough."""

    UNASKED = "unasked"
    WANTED = "wanted"
    FETCHED = "fetched"
    GONE = "gone"  # deleted in the mailbox meanwhile


class MoveState(StrEnum):
    """What became of a move of an imported mail."""

    WAITING = "waiting"
    DONE = "done"
    GIVEN_UP = "given_up"


class SubscriptionState(StrEnum):
    """What Graph says about notifying us."""

    ACTIVE = "active"
    REFUSED = "refused"  # we are not allowed to: polling alone
    REMOVED = "removed"  # by Graph; made anew by the next renewal
    FAILED = "failed"  # for now


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A mail as its source hands it over. `graph_id` is the immutable id; files are known by name and bytes.

    A mailbox hands over bytes only where the whole mail was asked for; `raw` is empty otherwise.
    """

    source: Source
    raw: bytes
    name: str = ""
    graph_id: str | None = None
    received_at: datetime | None = None

    @property
    def has_bytes(self) -> bool:
        return bool(self.raw) or self.graph_id is None

    @property
    def shown_name(self) -> str:
        """The name as it can be stored: disks and browsers hand over signs that no text column takes."""
        return self.name.replace("\0", "").encode("utf-8", "replace").decode("utf-8")[:255]
