"""How a reading of a mail ends, and where a mail is."""

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
