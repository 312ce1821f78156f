"""Keeps one ticket for one incident: tells it what is new, and ends it when its jobs are good again, if that is wished.

New runs are linked to the open ticket where they are made; here is only looked at them. Harmless to repeat. Opens its
own transactions, one a ticket: whoever holds several tickets at once may wait for a poll that does so too.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, true
from sqlalchemy.orm import Session

from shared.db.session import transaction
from shared.domain.incident import Told, may_note, news_in, said_by
from shared.domain.overrides import GOOD, TroubledRun
from shared.domain.run import RunSource
from shared.domain.status import Status
from shared.domain.ticket import ErrandKind, TicketSource
from shared.domain.ticket_text import details_of
from shared.models.jobs import JobRun
from shared.models.ticketing import TicketingSettings
from shared.models.tickets import Ticket, TicketRun, TicketScope, is_open_on_job
from shared.models.troubled_runs import as_troubled, select_troubled
from shared.services.add_errand import add_errand
from shared.services.audit import SYSTEM
from shared.services.draft_ticket import ticket_facts
from shared.services.errors import Conflict, NotFound
from shared.services.tickets import resolve_ticket

OVERLAP = timedelta(hours=1)  # a link may be older than its commit
MOST_RUNS = 100  # of a ticket in one look
REPORTED = (RunSource.MAIL, RunSource.PUSHED)


def begin_incident(db: Session, ticket: Ticket, *, now: datetime) -> None:
    """Note what a ticket that was just made tells of: all runs that are linked to it.

    One that was put into words before tells of the runs that it was linked to then; what came since is looked at.
    """
    told_of = [TicketRun.linked_at == ticket.created_at] if ticket.description else []  # in one transaction
    said = _said(db, _linked(db, ticket, *told_of), now=now)
    ticket.noted = {str(job_id): told.to_json() for job_id, told in said.items()}
    ticket.looked_at = ticket.start_date if ticket.description else now


def keep_incidents(*, clock: Callable[[], datetime]) -> dict[str, int]:
    """Have notes added about what is new, and tickets resolved whose jobs are good again; return counts."""
    with transaction() as db:
        to_look_at = _with_new_runs(db)
    noted = 0
    for ticket_id in to_look_at:
        with transaction() as db:
            noted += _look(db, ticket_id, now=clock())
    return {"noted": noted, "good_again": _resolve_good(clock)}


def _with_new_runs(db: Session) -> Sequence[int]:
    is_new = TicketRun.linked_at > Ticket.looked_at - OVERLAP
    linked = exists().where(TicketRun.ticket_id == Ticket.id, or_(Ticket.looked_at.is_(None), is_new))
    return db.scalars(select(Ticket.id).where(*_is_kept_there(), linked).order_by(Ticket.id)).all()


def _is_kept_there() -> tuple[ColumnElement[bool], ...]:
    return (
        Ticket.source == TicketSource.AUTOTASK,
        Ticket.remote_id.is_not(None),
        Ticket.remote_mismatch.is_(None),
        Ticket.resolved_at.is_(None),
        Ticket.deleted_at.is_(None),
    )


def _look(db: Session, ticket_id: int, *, now: datetime) -> bool:
    """Look at the ticket's new runs; return whether a note about them is to be added."""
    locked = select(Ticket).where(Ticket.id == ticket_id, *_is_kept_there()).with_for_update(key_share=True)
    ticket = db.scalar(locked.execution_options(populate_existing=True))
    if ticket is None:
        return False
    if ticket.looked_at is None:
        begin_incident(db, ticket, now=now)
        return False
    runs = _linked(db, ticket, TicketRun.linked_at > ticket.looked_at - OVERLAP)
    said = _said(db, runs, now=now)
    told = {job_id: Told.from_json(ticket.noted.get(str(job_id), {})) for job_id in said}
    news = {job_id: found for job_id in said if (found := news_in(said[job_id], told[job_id]))}
    if news and not may_note(ticket.noted_at, now=now):
        return False
    ticket.looked_at = now
    if not news:
        return False
    _add_note(db, ticket, _Telling.of(runs, told, set(news)), sorted({each.says for each in news.values()}), now=now)
    more = {str(job_id): told[job_id].with_more(said[job_id]).to_json() for job_id in news}
    ticket.noted = {**ticket.noted, **more}
    return True


@dataclass(frozen=True, slots=True)
class _Telling:
    """The runs that a note tells of: of each job the last one that says something new, or its last one."""

    run_ids: tuple[int, ...]

    @classmethod
    def of(cls, runs: Sequence[TroubledRun], told: dict[int, Told], job_ids: Collection[int]) -> "_Telling":
        chosen: dict[int, tuple[bool, datetime, int]] = {}
        for run in runs:
            if run.job_id in job_ids:
                is_news = bool(news_in(said_by([run]), told[run.job_id]))
                chosen[run.job_id] = max(chosen.get(run.job_id, (False, run.at, 0)), (is_news, run.at, run.run_id))
        return cls(tuple(run_id for _, _, run_id in chosen.values()))


def _add_note(db: Session, ticket: Ticket, telling: _Telling, says: Sequence[str], *, now: datetime) -> None:
    facts = ticket_facts(db, telling.run_ids, public_url="")
    what = " and ".join(says)
    content = {
        "title": f"Backupchecks: {what}",
        "text": f"What this ticket is about has changed: {what}.\n\n{details_of(facts)}",
    }
    add_errand(db, ErrandKind.NOTE, ticket.id, content, actor=SYSTEM, now=now)
    ticket.noted_at = now


def _linked(db: Session, ticket: Ticket, *which: ColumnElement[bool]) -> list[TroubledRun]:
    """Return the last runs with such a link that are not good, of jobs for which the ticket is open."""
    of_ticket = (TicketRun.ticket_id == ticket.id, JobRun.override_id.is_(None), is_open_on_job())
    query = (
        select_troubled()
        .join(TicketRun, TicketRun.job_run_id == JobRun.id)
        .join(Ticket, Ticket.id == TicketRun.ticket_id)
        .join(TicketScope, and_(TicketScope.ticket_id == Ticket.id, TicketScope.job_id == JobRun.job_id))
        .where(*of_ticket, *which)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(MOST_RUNS)
    )
    return as_troubled(db, db.execute(query).all())


def _said(db: Session, runs: Sequence[TroubledRun], *, now: datetime) -> dict[int, Told]:
    by_job: dict[int, list[TroubledRun]] = defaultdict(list)
    for run in runs:
        by_job[run.job_id].append(run)
    missing = [job_id for job_id, each in by_job.items() if any(run.status is Status.MISSED for run in each)]
    silent = _silent_for(db, missing, now=now)
    return {job_id: said_by(each, silent_for=silent.get(job_id, timedelta())) for job_id, each in by_job.items()}


def _silent_for(db: Session, job_ids: Sequence[int], *, now: datetime) -> dict[int, timedelta]:
    """Return since when nothing of these jobs was reported."""
    reported = select(JobRun.job_id, func.max(JobRun.run_at)).where(
        JobRun.job_id.in_(job_ids), JobRun.source.in_(REPORTED)
    )
    return {job_id: now - last for job_id, last in db.execute(reported.group_by(JobRun.job_id))}


def _resolve_good(clock: Callable[[], datetime]) -> int:
    """Resolve the tickets whose jobs were all good so many times in a row as the settings say."""
    with transaction() as db:
        wanted = db.get_one(TicketingSettings, 1).resolve_after_good
        good = _good_again(db, wanted) if wanted is not None else ()
    note = f"the last {wanted} runs of its jobs were good"
    resolved = 0
    for ticket_id in good:
        with suppress(Conflict, NotFound), transaction() as db:  # somebody was faster
            resolve_ticket(db, ticket_id, actor=SYSTEM, now=clock(), note=note)
            resolved += 1
    return resolved


def _good_again(db: Session, wanted: int) -> Sequence[int]:
    """Return the open tickets whose jobs have had enough good runs since they were made or last taken up again.

    Whoever took a ticket up again knew of the good runs before that.
    """
    open_since = func.greatest(Ticket.start_date, Ticket.reopened_at)  # which passes over what is missing
    counts = (JobRun.attempt_of_id.is_(None), ~JobRun.is_history, JobRun.run_at > open_since)
    last = (
        select(JobRun.status)
        .where(JobRun.job_id == TicketScope.job_id, *counts)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(wanted)
        .correlate(TicketScope, Ticket)
        .lateral("last")
    )
    is_made = or_(Ticket.source == TicketSource.MANUAL, Ticket.remote_id.is_not(None))
    is_ours = Ticket.remote_mismatch.is_(None)
    of_jobs = (
        select(Ticket.id.label("ticket_id"), func.count().filter(last.c.status.in_(GOOD)).label("good"))
        .join(TicketScope, TicketScope.ticket_id == Ticket.id)
        .outerjoin(last, true())
        .where(is_open_on_job(), is_made, is_ours)
        .group_by(Ticket.id, TicketScope.job_id)
        .subquery()
    )
    all_good = select(of_jobs.c.ticket_id).group_by(of_jobs.c.ticket_id).having(func.min(of_jobs.c.good) >= wanted)
    return db.scalars(all_good.order_by(of_jobs.c.ticket_id)).all()
