"""Which job a reading belongs to: sender, software, type, name and origin, and never a guess."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.names import fold


@dataclass(frozen=True, kw_only=True, slots=True)
class JobKey:
    """What must be equal for two mails to be of one job; every part folded, '' where a mail is silent."""

    from_address: str
    software: str
    backup_type: str
    job_name: str
    origin: str = ""


class KeyStanding(StrEnum):
    """What people said of a key that states no origin."""

    PLAIN = "plain"
    VOUCHED = "vouched"  # only this customer uses the name, although the sender serves several
    CONTESTED = "contested"  # another job turned out to send exactly the same


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownKey:
    """A key of a job that exists."""

    job_id: int
    customer_id: int
    origin: str
    archived: bool
    standing: KeyStanding = KeyStanding.PLAIN


@dataclass(frozen=True, slots=True)
class Match:
    """The reading is of this job; `proven` when both state the same origin."""

    job_id: int
    archived: bool = False
    proven: bool = False


@dataclass(frozen=True, slots=True)
class NoMatch:
    """No job has this key: it is a new one."""


@dataclass(frozen=True, slots=True)
class CouldBe:
    """It could be one of these jobs, or another's that uses the same name: a person must say."""

    job_ids: tuple[int, ...]
    why: str


def job_key(
    from_address: str, software: str | None, backup_type: str | None, job_name: str | None, origin: str | None
) -> JobKey:
    """Return the key of a reading's facts."""
    return JobKey(
        from_address=fold(from_address),
        software=fold(software or ""),
        backup_type=fold(backup_type or ""),
        job_name=fold(job_name or ""),
        origin=fold(origin or ""),
    )


def match(origin: str, known: Sequence[KnownKey], *, sender_is_shared: bool) -> Match | NoMatch | CouldBe:
    """Return the job that `known` keys (equal in all but origin) give to a reading from `origin`.

    1. An equal, stated origin is proof.
    2. A sender of several customers proves nothing by itself: without an equal origin the reading waits,
       unless it is silent too, one job has the name, and a person vouched for that name without origin.
       A contested key waits likewise.
    3. A sender of one customer: one candidate is it when at least one side is silent about the origin;
       two stated and different origins are two jobs. A job that is known from elsewhere and from mails
       that were silent may be either: the reading waits.

    A job that isn't archived comes before an archived one.
    """
    active = [key for key in known if not key.archived]
    if origin and (proven := [key for key in (*active, *known) if key.origin == origin]):
        return Match(proven[0].job_id, proven[0].archived, proven=True)
    candidates = active or list(known)
    if not candidates:
        return NoMatch()
    jobs = tuple(sorted({key.job_id for key in candidates}))
    contested = any(key.standing is KeyStanding.CONTESTED for key in candidates)
    if contested or sender_is_shared or len({key.customer_id for key in candidates}) > 1:
        return _of_shared_sender(origin, candidates, jobs)
    is_elsewhere = [bool(origin and key.origin) for key in candidates]  # an equal one was proof
    if all(is_elsewhere):
        return NoMatch()
    if len(jobs) == 1 and not any(is_elsewhere):
        return Match(jobs[0], candidates[0].archived)
    return CouldBe(jobs, "the name fits, but whether the host or tenant that the mail is about does is not certain")


def _of_shared_sender(origin: str, candidates: Sequence[KnownKey], jobs: tuple[int, ...]) -> Match | CouldBe:
    silent = next((key for key in candidates if not key.origin), None)
    if len(jobs) == 1 and not origin and silent is not None and silent.standing is KeyStanding.VOUCHED:
        return Match(silent.job_id, silent.archived)
    return CouldBe(jobs, "this sender reports for several customers, and the origin proves none of the jobs")
