"""What travels through the queues: ids and reasons, never mails. Small, versioned, harmless to repeat."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

VERSION = 1
MAX_IDS = 50
MAX_JOBS = 500


class Queue(StrEnum):
    """The names of the queues. What fails too often ends in the queue of the same name with `-poison`."""

    MAIL_WAKE = "mail-wake"
    MAIL_PARSE = "mail-parse"
    JOB_WATCH = "job-watch"
    TICKET_ERRANDS = "ticket-errands"


class WakeReason(StrEnum):
    """Why mails are to be looked for."""

    TIMER = "timer"
    NOTIFICATION = "notification"
    MANUAL = "manual"
    MORE = "more"  # the last read stopped at its limit
    HEAL = "heal"  # the timer has not come for too long
    SUBSCRIBE = "subscribe"  # a folder is read that Graph was never asked to tell of
    LIFECYCLE_REAUTHORIZE = "lifecycle_reauthorize"  # Graph wants the subscription renewed
    LIFECYCLE_REMOVED = "lifecycle_removed"  # Graph ended the subscription
    LIFECYCLE_MISSED = "lifecycle_missed"  # Graph may have left out notifications


class TicketTask(StrEnum):
    """What is to be done with the ticketing system."""

    SEND = "send"  # the errands that are due
    POLL = "poll"
    REFERENCE = "reference"  # fetch the choices: one that we sent is gone
    POLL_ANYWAY = "poll_anyway"  # though many tickets vanished: a person says that it is so


class BadMessage(Exception):
    """A queue message that no version of this code wrote."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Wake:
    """Look for new mails. A read that started after `at` has seen to it already."""

    reason: WakeReason
    at: datetime
    request_id: str | None = None  # by which a page finds the read that it asked for

    def to_json(self) -> str:
        return _to_json(reason=self.reason.value, at=self.at.isoformat(), request_id=self.request_id)

    @classmethod
    def from_json(cls, text: str) -> "Wake":
        """Raise BadMessage."""
        facts = _from_json(text)
        try:
            at = datetime.fromisoformat(facts["at"])
            reason, request_id = WakeReason(facts["reason"]), facts.get("request_id")
        except (KeyError, TypeError, ValueError) as problem:
            raise BadMessage(f"not a wake message: {problem}") from problem
        if at.tzinfo is None or not (request_id is None or isinstance(request_id, str)):
            raise BadMessage("not a wake message: a time without zone, or a request that is no text")
        return cls(reason=reason, at=at.astimezone(UTC), request_id=request_id)


@dataclass(frozen=True, kw_only=True, slots=True)
class ParseBatch:
    """Import these arrivals, at most MAX_IDS of them; those that are gone have been imported."""

    arrival_ids: tuple[int, ...]

    def to_json(self) -> str:
        return _to_json(ids=list(self.arrival_ids))

    @classmethod
    def from_json(cls, text: str) -> "ParseBatch":
        """Raise BadMessage."""
        ids = _from_json(text).get("ids")
        if not isinstance(ids, list) or len(ids) > MAX_IDS or not all(type(each) is int for each in ids):
            raise BadMessage(f"not a parse message: no list of at most {MAX_IDS} ids")
        return cls(arrival_ids=tuple(ids))


@dataclass(frozen=True, kw_only=True, slots=True)
class JobRange:
    """Learn the schedules of these jobs and judge their slots, at most MAX_JOBS of them; those gone don't matter."""

    job_ids: tuple[int, ...]

    def to_json(self) -> str:
        return _to_json(jobs=list(self.job_ids))

    @classmethod
    def from_json(cls, text: str) -> "JobRange":
        """Raise BadMessage."""
        ids = _from_json(text).get("jobs")
        if not isinstance(ids, list) or len(ids) > MAX_JOBS or not all(type(each) is int for each in ids):
            raise BadMessage(f"not a job message: no list of at most {MAX_JOBS} ids")
        return cls(job_ids=tuple(ids))


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketWork:
    """Do what is due at the ticketing system; what is to be sent stands in the database."""

    task: TicketTask = TicketTask.SEND

    def to_json(self) -> str:
        return _to_json(task=self.task.value)

    @classmethod
    def from_json(cls, text: str) -> "TicketWork":
        """Raise BadMessage."""
        try:
            return cls(task=TicketTask(_from_json(text)["task"]))
        except (KeyError, TypeError, ValueError) as problem:
            raise BadMessage(f"not a ticket message: {problem}") from problem


def _to_json(**facts: object) -> str:
    return json.dumps({"version": VERSION, **{name: value for name, value in facts.items() if value is not None}})


def _from_json(text: str) -> Mapping[str, Any]:
    try:
        facts = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise BadMessage("not JSON") from problem
    if not isinstance(facts, dict) or facts.get("version") != VERSION:
        raise BadMessage("of another version")
    return facts
