"""The parts of a form for tickets: one for each customer, with what can be done and what was wrong."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from functions.http_api.tickets.meant import Meant, Typed, TypedGroup
from shared.domain.ticket import TicketSource
from shared.queries.ticket_form import (
    CustomerGroup,
    OpenOnGroup,
    TicketChoices,
    group_of_jobs,
    groups_of_runs,
    ticket_choices,
)
from shared.queries.tickets import find_open_tickets
from shared.services.draft_ticket import propose_ticket
from shared.services.errors import NotFound, Refusal
from shared.services.why_no_ticket import why_no_ticket
from shared.settings import settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Tried:
    """What could not be done for a customer; then nothing was done for any."""

    customer_id: int
    refusal: Refusal
    suggested: OpenOnGroup | None = None  # a ticket that could be linked instead


@dataclass(frozen=True, kw_only=True, slots=True)
class FormGroup:
    """One customer's part. `is_remote` where the ticketing system makes the ticket; else `why_not`.

    `offered` are tickets that are open on the jobs; `has_others`, where others may be linked.
    """

    group: CustomerGroup
    is_remote: bool
    why_not: str
    offered: tuple[OpenOnGroup, ...]
    has_others: bool
    typed: TypedGroup
    error: str = ""
    error_at: str = ""

    @property
    def customer_id(self) -> int:
        return self.group.customer_id

    @property
    def new(self) -> str:
        """How a new ticket is asked for: expressly, where there is one already."""
        return "another" if self.offered else "new"


def chosen_groups(db: Session, meant: Meant) -> tuple[CustomerGroup, ...]:
    """Return what is meant by customer: none for no runs, and for no jobs yet a customer without any.

    Raise NotFound without that customer.
    """
    if meant.customer_id is None:
        return groups_of_runs(db, meant.run_ids)
    group = group_of_jobs(db, meant.customer_id, meant.job_ids)
    if group is None:
        raise NotFound("This customer doesn't exist (any more).")
    return (group,)


def form_groups(
    db: Session, groups: Sequence[CustomerGroup], typed: Typed, *, tried: Tried | None = None
) -> tuple[tuple[FormGroup, ...], TicketChoices]:
    """Return the parts of the form, and what can be chosen in them."""
    choices = ticket_choices(db)
    return tuple(_form_group(db, group, typed, choices, tried) for group in groups), choices


def _form_group(
    db: Session, group: CustomerGroup, typed: Typed, choices: TicketChoices, tried: Tried | None
) -> FormGroup:
    is_tried = tried is not None and tried.customer_id == group.customer_id
    suggested = (tried.suggested,) if tried is not None and is_tried and tried.suggested else ()
    offered = (*suggested, *(each for each in group.open if each not in suggested))
    wants_remote = choices.source is not TicketSource.MANUAL
    why_not = why_no_ticket(db, group.customer_id) if wants_remote else None
    is_remote = wants_remote and why_not is None
    elsewhere = {each.ticket_id for each in find_open_tickets(db, group.customer_id, "")}
    own = typed.of(group.customer_id) or _proposed(db, group, is_remote=is_remote)
    is_wrong = tried is not None and is_tried
    return FormGroup(
        group=group,
        is_remote=is_remote,
        why_not=why_not or "",
        offered=offered,
        has_others=wants_remote or bool(elsewhere - {each.ticket_id for each in offered}),
        typed=replace(own, how=_how(own, typed.how, offered, is_wrong=is_wrong)),
        error=str(tried.refusal) if tried is not None and is_wrong else "",
        error_at=(getattr(tried.refusal, "field", None) or "how") if tried is not None and is_wrong else "",
    )


def _proposed(db: Session, group: CustomerGroup, *, is_remote: bool) -> TypedGroup:
    """Return what stands in the form at first: of a ticket that is made elsewhere the words, else nothing."""
    if not (is_remote and group.jobs):
        return TypedGroup()
    proposed = propose_ticket(
        db,
        run_ids=group.run_ids,
        job_ids=() if group.run_ids else [job.job_id for job in group.jobs],
        public_url=settings().public_url or "",
    )
    return TypedGroup(
        title=proposed.title,
        description=proposed.description,
        queue_id=proposed.choices["queue_id"],
        priority_id=proposed.choices["priority_id"],
    )


def _how(own: TypedGroup, asked: str, offered: Sequence[OpenOnGroup], *, is_wrong: bool) -> str:
    """Return what is ticked: where a ticket is open it is meant, because one incident is one ticket."""
    if own.how == "new" and offered:
        return f"link-{offered[0].ticket_id}" if is_wrong else "another"
    if own.how:
        return own.how
    if asked == "link":
        return "link"
    return f"link-{offered[0].ticket_id}" if offered else "new"
