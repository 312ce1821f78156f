"""What a parser made of a mail: readings, or the reason why there are none."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.domain.status import READABLE, Status, badness, worst


class Kind(StrEnum):
    """What a reading stands for (not how it went)."""

    REGULAR = "regular"  # a run of a backup job; teaches schedules
    INFORMATIONAL = "informational"  # updates, storage, licence: shown, never learned from, never missed
    EVENT = "event"  # started, restore, list, test: makes no run
    ALERT_ONLY = "alert_only"  # a product that mails only trouble: no slots, never green


@dataclass(frozen=True, kw_only=True, slots=True)
class ObjectResult:
    """One machine, VM, share, database or mailbox inside a mail.

    `recovered` says that the mail itself tells of a later success for this object (a retry):
    then its failure doesn't pull the whole reading down.
    """

    name: str
    type: str
    status: Status
    message: str = ""
    recovered: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """One job's result as one mail reports it.

    `job_name` is None when the mail names no job. `origin` is the host, NAS, server, tenant or
    organisation that the mail names. `objects_complete` claims that `objects` lists everything the
    job covers, so that an absent one is a finding. Times without a zone are wall-clock times of
    the machine. `retry` is the number of the retry, where the mail says that it reports one. `evidence` holds the words
    that decided the verdict.
    """

    software: str
    backup_type: str
    job_name: str | None
    status: Status
    origin: str | None = None
    kind: Kind = Kind.REGULAR
    objects: tuple[ObjectResult, ...] = ()
    objects_complete: bool = False
    started_at: datetime | None = None
    ended_at: datetime | None = None
    size_bytes: int | None = None
    session_id: str | None = None
    retry: int | None = None
    message: str = ""
    evidence: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.status not in READABLE or any(thing.status not in READABLE for thing in self.objects):
            raise ValueError("a parser reads success, warning, failed or informational, nothing else")

    @property
    def lists_everything(self) -> bool:
        """Whether an object that it doesn't name is gone from the job. A retry may name only what went wrong before."""
        return self.objects_complete and self.retry is None

    def held_to_its_objects(self) -> "Reading":
        """Return this reading, no better than its worst object that didn't recover."""
        floor = worst((thing.status for thing in self.objects if not thing.recovered), default=self.status)
        if badness(floor) <= max(badness(self.status), badness(Status.SUCCESS)):
            return self  # an informational mail may well list things that are fine
        why = f"{floor} because an object is {floor}"
        return replace(self, status=floor, evidence=(*self.evidence, why))


@dataclass(frozen=True, kw_only=True, slots=True)
class Parsed:
    """A parser read the mail: one or more readings, in the mail's order."""

    parser: str
    readings: tuple[Reading, ...]

    @property
    def worst(self) -> Reading:
        return max(self.readings, key=lambda reading: badness(reading.status))


@dataclass(frozen=True, kw_only=True, slots=True)
class Unreadable:
    """A parser knows the mail as its product's but can't prove a verdict; what it does know stays."""

    parser: str
    reason: str
    software: str
    backup_type: str | None = None
    job_name: str | None = None
    origin: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Unrecognised:
    """No parser knows this mail."""

    reason: str = "no parser knows this mail"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ambiguous:
    """More than one parser claims this mail: none of them is believed."""

    parsers: tuple[str, ...]

    @property
    def reason(self) -> str:
        return "claimed by " + " and ".join(self.parsers)


Outcome = Parsed | Unreadable | Unrecognised | Ambiguous
