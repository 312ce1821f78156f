"""Makes tickets, links them to runs, and ends them. Whatever is resolved stops reaching new runs at once."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, aliased

from shared.domain.ticket import ErrandKind, TicketSource
from shared.domain.typed_text import tidy_text
from shared.models.jobs import Job
from shared.models.system import SystemSettings
from shared.models.tickets import Ticket, TicketScope, is_open_on_job
from shared.services.add_errand import add_errand
from shared.services.audit import Actor, record_act
from shared.services.carry_ticket import carry_ticket
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.ticketed_runs import ChosenRuns, WholeJobs, choose_runs, cover

LONGEST_CODE = 64


def add_manual_ticket(
    db: Session,
    *,
    code: str,
    description: str,
    run_ids: Sequence[int] | WholeJobs,
    actor: Actor,
    now: datetime,
    anyway: bool = False,
) -> int:
    """Make a ticket whose code a person typed, about runs or about jobs, and return its id.

    Raise BadInput, or Conflict where a job of the runs has an open ticket and `anyway` isn't said.
    """
    typed = _tidy(code)
    chosen = choose_runs(db, run_ids)
    _refuse_second(db, chosen, anyway=anyway)
    _refuse_taken(db, typed)
    ticket = _new(db, chosen, TicketSource.MANUAL, description=description, actor=actor, now=now)
    ticket.ticket_code = typed
    with _unless_taken(db, typed):
        db.add(ticket)
    return _made(db, ticket, chosen, actor=actor, now=now)


def add_remote_ticket(
    db: Session,
    *,
    title: str,
    description: str,
    run_ids: Sequence[int] | WholeJobs,
    actor: Actor,
    now: datetime,
    choices: dict[str, str] | None = None,
    anyway: bool = False,
) -> int:
    """Have the ticketing system make a ticket, and return its id here: it is shown at once, its number comes later.

    `choices` are what a person chose instead of the defaults, by the names of `TicketDraft`. Raise as
    `add_manual_ticket` does.
    """
    about = tidy_text(title)
    if not about:
        raise BadInput("Type what the ticket is about.", field="title")
    chosen = choose_runs(db, run_ids)
    _refuse_second(db, chosen, anyway=anyway)
    ticket = _new(db, chosen, TicketSource.AUTOTASK, description=description, actor=actor, now=now)
    ticket.title = about
    ticket_id = _made(db, ticket, chosen, actor=actor, now=now)
    add_errand(db, ErrandKind.CREATE, ticket_id, choices or {}, actor=actor, now=now)
    return ticket_id


def link_ticket(
    db: Session,
    ticket_id: int,
    run_ids: Sequence[int] | WholeJobs,
    *,
    actor: Actor,
    now: datetime,
    is_open_there: bool = False,
) -> ChosenRuns:
    """Link an open ticket to further runs of its customer. Raise NotFound, Conflict (it is over) or BadInput.

    One that was just seen to be open at the ticketing system is over here only for want of jobs, and is taken up again.
    """
    chosen = choose_runs(db, run_ids)
    ticket = _locked(db, ticket_id)
    if ticket.customer_id != chosen.customer_id:
        raise BadInput("This ticket is about another customer.")
    if is_open_there and ticket.resolved_at is not None and not _has_jobs(db, ticket):
        ticket.resolved_at, ticket.resolved_by, ticket.reopened_at = None, None, now
        _record(db, ticket, "ticket.reopened", {}, actor, now)
    if ticket.resolved_at is not None or ticket.deleted_at is not None:
        raise Conflict("This ticket is over: nothing is linked to it any more. Reopen it, or make another one.")
    cover(db, ticket_id, chosen)
    carry_ticket(db, ticket, chosen.run_ids)
    _record(db, ticket, "ticket.linked", {"runs": list(chosen.run_ids)}, actor, now)
    return chosen


def edit_ticket(
    db: Session, ticket_id: int, *, description: str, code: str | None = None, actor: Actor, now: datetime
) -> None:
    """Change what is told of a ticket here, and a code that a person typed. What Autotask has is theirs and stays.

    Raise NotFound, BadInput or Conflict.
    """
    ticket = _locked(db, ticket_id)
    before = {"description": ticket.description, "code": ticket.ticket_code}
    typed = ticket.ticket_code
    if code is not None and ticket.source is TicketSource.MANUAL:
        typed = _tidy(code)
        _refuse_taken(db, typed, besides=ticket_id)
    with _unless_taken(db, typed or ""):
        ticket.description, ticket.ticket_code = tidy_text(description), typed
    after = {"description": ticket.description, "code": ticket.ticket_code}
    changed = {name: [before[name], value] for name, value in after.items() if value != before[name]}
    if changed:
        _record(db, ticket, "ticket.edited", changed, actor, now)


def resolve_ticket(db: Session, ticket_id: int, *, actor: Actor, now: datetime, note: str = "") -> None:
    """End a ticket for all its jobs, and have it resolved over there too. Raise NotFound or Conflict."""
    ticket = _locked(db, ticket_id)
    if ticket.resolved_at is not None:
        raise Conflict("This ticket is resolved already.")
    _resolve(db, ticket, actor=actor, now=now, note=tidy_text(note))


def reopen_ticket(db: Session, ticket_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a ticket up again, for the jobs that are still its customer's; it reaches runs made from now on.

    Raise NotFound, or Conflict: one of the ticketing system is reopened there, and found to be so by the next poll.
    """
    ticket = _locked(db, ticket_id)
    if ticket.resolved_at is None:
        raise Conflict("This ticket is open.")
    if ticket.source is not TicketSource.MANUAL:
        raise Conflict("Reopen this ticket where it is kept; it is taken up here at the next look.")
    if not mark_reopened(db, ticket, now=now):
        raise Conflict("It is about no job of its customer any more: make another ticket.")
    _record(db, ticket, "ticket.reopened", {}, actor, now)


def resolve_scope(db: Session, ticket_id: int, job_id: int, *, actor: Actor, now: datetime) -> bool:
    """End a ticket for one of its jobs; return whether it was the last, which ends the ticket as `resolve_ticket` does.

    Raise NotFound or Conflict.
    """
    ticket = _locked(db, ticket_id)
    of_job = (TicketScope.ticket_id == ticket_id, TicketScope.job_id == job_id)
    ending = update(TicketScope).where(*of_job, TicketScope.resolved_at.is_(None)).values(resolved_at=now)
    if ticket.resolved_at is not None or db.scalar(ending.returning(TicketScope.id)) is None:
        raise Conflict("This ticket is over for this job already.")
    _record(db, ticket, "ticket.scope_resolved", {"job": job_id}, actor, now)
    is_open = exists().where(TicketScope.ticket_id == ticket_id, TicketScope.resolved_at.is_(None))
    if db.scalar(select(is_open)):
        return False
    _resolve(db, ticket, actor=actor, now=now)
    return True


def end_scopes_of_job(db: Session, job_id: int, *, now: datetime) -> int:
    """End all tickets for a job that goes to another customer, for good; return how many were open."""
    ended = func.coalesce(TicketScope.resolved_at, now)
    of_job = update(TicketScope).where(TicketScope.job_id == job_id, TicketScope.customer_id.is_not(None))
    result = db.execute(of_job.values(resolved_at=ended, customer_id=None).returning(TicketScope.id))
    return len(result.all())


def end_tickets_with_job(db: Session, job_id: int, *, actor: Actor, now: datetime) -> None:
    """Resolve here what is open for no other job than one that is about to be deleted; the ticketing system isn't told.

    What is kept there and has jobs left stays: it would be opened again for those.
    """
    other = aliased(TicketScope)
    would_open_again = and_(Ticket.source != TicketSource.MANUAL, other.customer_id.is_not(None))
    elsewhere = exists().where(
        other.ticket_id == Ticket.id, other.job_id != job_id, or_(other.resolved_at.is_(None), would_open_again)
    )
    of_job = select(TicketScope.ticket_id).where(TicketScope.job_id == job_id)
    ends = select(Ticket).where(Ticket.id.in_(of_job), Ticket.resolved_at.is_(None), ~elsewhere).order_by(Ticket.id)
    for ticket in db.scalars(ends.with_for_update().execution_options(populate_existing=True)):
        ticket.resolved_at, ticket.resolved_by = now, actor.user_id
        untold = "" if ticket.source is TicketSource.MANUAL else "; Autotask was not told"
        _record(db, ticket, "ticket.resolved", {"note": f"its last open job was deleted{untold}"}, actor, now)


def mark_reopened(db: Session, ticket: Ticket, *, now: datetime) -> bool:
    """Take up a ticket and its scopes, but for jobs that were moved away; return whether it has others."""
    taken_up = update(TicketScope).where(*_of_its_customer(ticket)).values(resolved_at=None)
    if not db.scalars(taken_up.returning(TicketScope.id)).all():
        return False
    ticket.resolved_at, ticket.resolved_by, ticket.reopened_at = None, None, now
    return True


def _resolve(db: Session, ticket: Ticket, *, actor: Actor, now: datetime, note: str = "") -> None:
    ticket.resolved_at, ticket.resolved_by = now, actor.user_id
    if ticket.source is not TicketSource.MANUAL and ticket.deleted_at is None:
        add_errand(db, ErrandKind.RESOLVE, ticket.id, {"text": note}, actor=actor, now=now)
    _record(db, ticket, "ticket.resolved", {"note": note}, actor, now)


def _tidy(code: str) -> str:
    typed = tidy_text(code)
    if not typed or len(typed) > LONGEST_CODE:
        raise BadInput(f"Type the ticket's code, at most {LONGEST_CODE} characters.", field="code")
    return typed


def _refuse_taken(db: Session, code: str, *, besides: int = 0) -> None:
    same = select(Ticket.id).where(func.lower(Ticket.ticket_code) == code.lower(), Ticket.id != besides)
    if (taken := db.scalar(same)) is not None:
        raise Conflict(f"There is a ticket {code} already (number {taken} here): link that one instead.")


@contextmanager
def _unless_taken(db: Session, code: str) -> Iterator[None]:
    """Store what the block changes; somebody else may have taken the code a moment ago."""
    try:
        with db.begin_nested():
            yield
    except IntegrityError as problem:
        raise Conflict(f"There is a ticket {code} already, since just now: link that one instead.") from problem


def _refuse_second(db: Session, chosen: ChosenRuns, *, anyway: bool) -> None:
    """One incident, one ticket: the jobs are locked, so of two people the slower one learns of the other's ticket."""
    if anyway:
        return
    is_open = (
        select(Ticket.ticket_code, Job.job_name)
        .join(TicketScope, TicketScope.ticket_id == Ticket.id)
        .join(Job, Job.id == TicketScope.job_id)
        .where(TicketScope.job_id.in_(chosen.job_ids), is_open_on_job())
        .order_by(Ticket.id.desc())
        .limit(1)
    )
    if (found := db.execute(is_open).one_or_none()) is not None:
        code, job = found
        raise Conflict(f"{job} has an open ticket, {code or 'which is just being made'}: link that one instead.")


def _new(
    db: Session, chosen: ChosenRuns, source: TicketSource, *, description: str, actor: Actor, now: datetime
) -> Ticket:
    zone = ZoneInfo(db.get_one(SystemSettings, 1).ui_time_zone)
    return Ticket(
        customer_id=chosen.customer_id,
        source=source,
        description=tidy_text(description),
        active_from_date=chosen.first_at.astimezone(zone).date(),
        start_date=now,
        created_by=actor.user_id,
    )


def _made(db: Session, ticket: Ticket, chosen: ChosenRuns, *, actor: Actor, now: datetime) -> int:
    db.add(ticket)
    db.flush()  # its scopes need its id
    cover(db, ticket.id, chosen)
    facts = {"code": ticket.ticket_code, "title": ticket.title, "jobs": list(chosen.job_ids)}
    _record(db, ticket, "ticket.made", {**facts, "runs": list(chosen.run_ids)}, actor, now)
    return ticket.id


def _has_jobs(db: Session, ticket: Ticket) -> bool:
    """Tell whether a ticket is about a job of its customer, be it resolved for that or not."""
    return bool(db.scalar(select(exists().where(*_of_its_customer(ticket)))))


def _of_its_customer(ticket: Ticket) -> tuple[ColumnElement[bool], ...]:
    return (TicketScope.ticket_id == ticket.id, TicketScope.customer_id.is_not(None))


def _locked(db: Session, ticket_id: int) -> Ticket:
    ticket = db.get(Ticket, ticket_id, with_for_update=True, populate_existing=True)
    if ticket is None:
        raise NotFound("This ticket doesn't exist (any more).")
    return ticket


def _record(db: Session, ticket: Ticket, action: str, facts: Mapping[str, object], actor: Actor, now: datetime) -> None:
    record_act(db, actor, action, subject_type="ticket", subject_id=ticket.id, after=facts, now=now)
