"""The approve forms of a mail: one for each reading that waits, with what was typed and what was wrong with it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import Form

from functions.http_api.inbox.asked import Words
from shared.queries.mail_detail import JobName, MailDetail, ReadingDetail
from shared.queries.suggest_customer import Suggestion
from shared.services.approve_readings import UnknownCustomer
from shared.services.errors import Refusal

LONGEST_NAME = 200
SEVERAL = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class NewJobTyped:
    """The form that makes a new job; an unticked box sends nothing."""

    customer: Annotated[Words, Form()] = ""
    create: Annotated[bool, Form()] = False
    job_name: Annotated[Words, Form()] = ""
    vouched: Annotated[bool, Form()] = False
    all_waiting: Annotated[bool, Form()] = False


@dataclass(frozen=True, kw_only=True, slots=True)
class AttachTyped:
    """The form that attaches to a job that exists."""

    job_id: Annotated[int | None, Form(ge=0, le=2**63 - 1)] = None
    vouched: Annotated[bool, Form()] = False
    all_waiting: Annotated[bool, Form()] = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Hints:
    """What the address puts into the forms of one reading: a suggested customer, a search for jobs."""

    find_for: int = 0
    customer: str = ""
    job_q: str = ""


NO_HINTS = Hints()


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """An approval that was refused."""

    reading_id: int
    refusal: Refusal
    new_job: NewJobTyped | None = None
    attach: AttachTyped | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class ApproveForms:
    """What the page asks about one reading."""

    suggestions: tuple[Suggestion, ...]
    can_start_job: bool
    needs_name: bool
    asks_vouch: bool
    jobs: tuple[JobName, ...]
    job_q: str
    attach_first: bool
    new_job: NewJobTyped
    attach: AttachTyped
    errors: Mapping[str, str]
    unknown_customer: str


def approve_forms(
    mail: MailDetail,
    reading: ReadingDetail,
    *,
    suggestions: tuple[Suggestion, ...],
    found_jobs: tuple[JobName, ...],
    hints: Hints,
    tried: Tried | None = None,
) -> ApproveForms:
    """Return the forms of a waiting reading; `found_jobs` are what the search found."""
    can_start_job = reading.status is not None and reading.software is not None
    unknown = tried.refusal.name if tried and isinstance(tried.refusal, UnknownCustomer) else ""
    nothing_tells = not reading.origin and reading.software is not None
    looks_like_others = nothing_tells and mail.sender_serves >= SEVERAL
    return ApproveForms(
        suggestions=suggestions,
        can_start_job=can_start_job,
        needs_name=can_start_job and not reading.job_name,
        # After a refusal too: the customer that was meant may be the second one of this sender.
        asks_vouch=looks_like_others or (nothing_tells and tried is not None),
        jobs=found_jobs if hints.job_q else reading.could_be,
        job_q=hints.job_q,
        attach_first=not can_start_job or bool(reading.could_be) or bool(hints.job_q) or bool(tried and tried.attach),
        # Mails that look alike whoever they are of don't come along unasked.
        new_job=(tried and tried.new_job) or NewJobTyped(customer=hints.customer, all_waiting=not looks_like_others),
        attach=(tried and tried.attach) or AttachTyped(all_waiting=not looks_like_others),
        errors=_errors(tried),
        unknown_customer=unknown,
    )


def _errors(tried: Tried | None) -> dict[str, str]:
    if tried is None:
        return {}
    field = "job" if tried.attach is not None else getattr(tried.refusal, "field", None) or "customer"
    return {field: str(tried.refusal)}
