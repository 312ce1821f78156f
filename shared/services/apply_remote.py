"""Lets tickets here follow what was seen of them at the ticketing system, and what was proven to be deleted there."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import exists, or_, select, update
from sqlalchemy.orm import Session

from shared.domain.ticket import ErrandKind, ErrandState, TicketSource
from shared.domain.ticketing import Deletion, RemoteTicket, TicketState
from shared.models.jobs import JobRun
from shared.models.ticketing import Errand
from shared.models.tickets import Ticket, TicketScope
from shared.services.audit import SYSTEM, record_act
from shared.services.carry_ticket import number_ticket
from shared.services.known_as import known_as, number_of
from shared.services.record_run import lock_jobs
from shared.services.tickets import mark_reopened

OPEN_ERRANDS = (ErrandState.WAITING, ErrandState.SENDING, ErrandState.FAILED)


def apply_seen(db: Session, found: Sequence[RemoteTicket], *, looked_at: datetime, now: datetime) -> list[str]:
    """Let tickets follow what was seen of them at `looked_at`; return what happened. What is known later counts more.

    A ticket that was resolved here stays so while its word is under way, whatever the other side still says. One whose
    id is another ticket's over there, or whose company is another one by now, does not follow.
    """
    by_id = {each.id: each for each in found}
    mine = (Ticket.source == TicketSource.AUTOTASK, Ticket.remote_id.in_(by_id))
    is_older = or_(Ticket.remote_seen_at.is_(None), Ticket.remote_seen_at < looked_at)
    # The weaker lock: a run that is just being linked holds its job and must not wait for us.
    locked = select(Ticket).where(*mine, is_older).order_by(Ticket.id).with_for_update(key_share=True)
    tickets = db.scalars(locked.execution_options(populate_existing=True)).all()
    happened = [_follow(db, ticket, by_id[str(ticket.remote_id)], looked_at, now) for ticket in tickets]
    return [each for each in happened if each]


def note_seen(db: Session, ticket_ids: Sequence[int], *, looked_at: datetime) -> None:
    """Note of many tickets that they were to be seen."""
    _lock(db, ticket_ids)
    is_older = or_(Ticket.remote_seen_at.is_(None), Ticket.remote_seen_at < looked_at)
    seen = update(Ticket).where(Ticket.id.in_(ticket_ids), is_older).values(remote_seen_at=looked_at, misses=0)
    db.execute(seen.execution_options(synchronize_session=False))


def note_unseen(db: Session, ticket_ids: Sequence[int]) -> None:
    """Count that these were not to be seen: which is no proof of anything."""
    _lock(db, ticket_ids)
    missed = update(Ticket).where(Ticket.id.in_(ticket_ids)).values(misses=Ticket.misses + 1)
    db.execute(missed.execution_options(synchronize_session=False))


def _lock(db: Session, ticket_ids: Sequence[int]) -> None:
    """Lock many tickets in everybody's order: an update takes its rows in any."""
    db.execute(select(Ticket.id).where(Ticket.id.in_(ticket_ids)).order_by(Ticket.id).with_for_update(key_share=True))


def apply_deletion(db: Session, proof: Deletion, *, now: datetime) -> bool:
    """Mark a ticket and every run that carries it as deleted; return whether that is news.

    The jobs are locked first, so that no run takes it over meanwhile.
    """
    lock_jobs(db, _jobs_of(db, proof.ticket_id))
    mine = (Ticket.source == TicketSource.AUTOTASK, Ticket.remote_id == proof.ticket_id)
    ticket = db.scalar(select(Ticket).where(*mine).with_for_update().execution_options(populate_existing=True))
    if ticket is None or ticket.deleted_at is not None or _is_of_another(ticket, proof):
        return False
    ticket.deleted_at = proof.deleted_at
    _mark_runs(db, proof.ticket_id, proof.deleted_at)
    _drop_errands(db, ticket.id)
    facts = {"code": ticket.ticket_code, "deleted_at": proof.deleted_at.isoformat()}
    record_act(db, SYSTEM, "ticket.deleted", subject_type="ticket", subject_id=ticket.id, after=facts, now=now)
    return True


def _follow(db: Session, ticket: Ticket, found: RemoteTicket, looked_at: datetime, now: datetime) -> str:
    ticket.remote_seen_at, ticket.misses = looked_at, 0
    if not _recognised(db, ticket, found, now):
        return "another"
    ticket.remote_status_id, ticket.remote_company_id = found.status_id, found.company_id or ticket.remote_company_id
    number_ticket(db, ticket, found.number)
    if ticket.deleted_at is not None:  # it is there again
        ticket.deleted_at = None
        _mark_runs(db, found.id, None)
        _record(db, ticket, "ticket.restored", now)
    if found.state is TicketState.RESOLVED and ticket.resolved_at is None:
        ticket.resolved_at = found.completed_at or now
        _record(db, ticket, "ticket.resolved", now)
        return "resolved"
    is_ended_here = ticket.resolved_at is not None and not _word_is_under_way(db, ticket.id)
    if found.state is TicketState.OPEN and is_ended_here and mark_reopened(db, ticket, now=now):
        _record(db, ticket, "ticket.reopened", now)
        return "reopened"
    return ""


def _recognised(db: Session, ticket: Ticket, found: RemoteTicket, now: datetime) -> bool:
    """Tell whether what has the ticket's id is this ticket and still its company's; a change of that is recorded."""
    mismatch = known_as(db, ticket).mismatch(found.number, found.company_id)
    if mismatch is not ticket.remote_mismatch:
        ticket.remote_mismatch = mismatch
        action = "ticket.recognised" if mismatch is None else "ticket.not_recognised"
        _record(db, ticket, action, now, found=found.number, mismatch=mismatch)
    return mismatch is None


def _is_of_another(ticket: Ticket, proof: Deletion) -> bool:
    known, number = number_of(ticket), proof.number.strip()
    return bool(known and number) and known.casefold() != number.casefold()


def _word_is_under_way(db: Session, ticket_id: int) -> bool:
    """Whether the ticketing system is still to be told of the end here; a word that failed waits for a person."""
    resolve = (Errand.ticket_id == ticket_id, Errand.kind == ErrandKind.RESOLVE, Errand.state.in_(OPEN_ERRANDS))
    return bool(db.scalar(select(exists().where(*resolve))))


def _jobs_of(db: Session, remote_id: str) -> set[int]:
    scoped = (
        select(TicketScope.job_id)
        .join(Ticket, Ticket.id == TicketScope.ticket_id)
        .where(Ticket.source == TicketSource.AUTOTASK, Ticket.remote_id == remote_id)
    )
    carrying = select(JobRun.job_id).where(JobRun.autotask_ticket_id == remote_id).distinct()
    return {*db.scalars(scoped), *db.scalars(carrying)}


def _mark_runs(db: Session, remote_id: str, deleted_at: datetime | None) -> None:
    carrying = update(JobRun).where(JobRun.autotask_ticket_id == remote_id)
    marked = carrying.values(autotask_ticket_deleted_at=deleted_at)
    db.execute(marked.execution_options(synchronize_session=False))


def _drop_errands(db: Session, ticket_id: int) -> None:
    waiting = (Errand.ticket_id == ticket_id, Errand.state.in_((ErrandState.WAITING, ErrandState.FAILED)))
    values = {"state": ErrandState.CANCELLED, "last_error": "The ticket was deleted over there."}
    db.execute(update(Errand).where(*waiting).values(values))


def _record(db: Session, ticket: Ticket, action: str, now: datetime, **more: str | None) -> None:
    facts = {"code": ticket.ticket_code, "seen": True, **more}
    record_act(db, SYSTEM, action, subject_type="ticket", subject_id=ticket.id, after=facts, now=now)
