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


@dataclass(frozen=True, kw_only=True, slots=True)
class Delivery:
    """A mail as its source hands it over. `graph_id` is the immutable id; files are known by name and bytes."""

    source: Source
    raw: bytes
    name: str = ""
    graph_id: str | None = None
    received_at: datetime | None = None

    @property
    def shown_name(self) -> str:
        """The name as it can be stored: disks and browsers hand over signs that no text column takes."""
        return self.name.replace("\0", "").encode("utf-8", "replace").decode("utf-8")[:255]
