"""Does for one customer what his part of the form asks: makes a ticket, or links one that there is."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from functions.http_api.autotask import NoAnswer
from functions.http_api.formats import plural
from functions.http_api.tickets.groups import Tried
from functions.http_api.tickets.meant import Meant, TypedGroup
from shared.domain.ticket import TicketSource
from shared.domain.ticketing import RemoteTicket
from shared.queries.ticket_form import CustomerGroup, OpenOnGroup, ticket_choices
from shared.queries.tickets import open_ticket_called
from shared.services.adopt_ticket import adopt_ticket
from shared.services.audit import Actor
from shared.services.errors import BadInput, Refusal
from shared.services.ticketed_runs import WholeJobs
from shared.services.tickets import add_manual_ticket, add_remote_ticket, link_ticket
from shared.services.why_no_ticket import why_no_ticket


@dataclass(frozen=True, kw_only=True, slots=True)
class Done:
    """What was done for one customer, in words; empty where he was left out."""

    words: str = ""
    is_remote: bool = False  # the ticketing system is to hear of it


def deal_with(
    db: Session,
    group: CustomerGroup,
    meant: Meant,
    typed: TypedGroup,
    *,
    fetched: RemoteTicket | NoAnswer | None,
    actor: Actor,
    now: datetime,
) -> Done:
    """Make or link what is asked for; `fetched` is what Autotask has under the number that was typed.

    Raise BadInput, or Conflict where a ticket is open on one of the jobs already.
    """
    if typed.how == "skip":
        return Done()
    what = _what(group, meant, now)
    if typed.how.startswith("link"):
        if isinstance(fetched, NoAnswer):
            raise BadInput(str(fetched), field="ticket")
        if fetched is not None:
            adopt_ticket(db, fetched, what, actor=actor, now=now)
        else:
            ticket_id = typed.linked_id or _called(db, group, typed.ticket)
            link_ticket(db, ticket_id, what, actor=actor, now=now)
        return Done(words=f"Linked to {_about(group)}.", is_remote=True)
    if _is_remote(db, group.customer_id):
        return _have_made(db, what, group, typed, actor=actor, now=now)
    anyway = typed.how == "another"
    add_manual_ticket(
        db, code=typed.code, description=typed.description, run_ids=what, actor=actor, now=now, anyway=anyway
    )
    return Done(words=f"Ticket {typed.code.strip()} is on {_about(group)}.")


def suggestion(db: Session, group: CustomerGroup, typed: TypedGroup, problem: Refusal) -> Tried:
    """Return what went wrong, with the ticket that has the typed code already, if it is this customer's and open."""
    taken = open_ticket_called(db, group.customer_id, typed.code) if typed.code.strip() else None
    same = OpenOnGroup(ticket_id=taken, code=typed.code.strip(), title="", job="") if taken else None
    return Tried(customer_id=group.customer_id, refusal=problem, suggested=same)


def _what(group: CustomerGroup, meant: Meant, now: datetime) -> tuple[int, ...] | WholeJobs:
    if meant.customer_id is None:
        return group.run_ids
    return WholeJobs(job_ids=tuple(job.job_id for job in group.jobs), at=now)


def _have_made(
    db: Session,
    what: tuple[int, ...] | WholeJobs,
    group: CustomerGroup,
    typed: TypedGroup,
    *,
    actor: Actor,
    now: datetime,
) -> Done:
    known = ticket_choices(db)
    chosen = {
        "queue_id": _known(typed.queue_id, known.queues, "queue"),
        "priority_id": _known(typed.priority_id, known.priorities, "priority"),
    }
    add_remote_ticket(
        db,
        title=typed.title,
        description=typed.description,
        run_ids=what,
        choices={name: value for name, value in chosen.items() if value},
        anyway=typed.how == "another",
        actor=actor,
        now=now,
    )
    return Done(words=f"Autotask is asked for a ticket on {_about(group)}.", is_remote=True)


def _known(chosen: str, offered: Iterable[tuple[str, str]], what: str) -> str:
    if chosen and chosen not in dict(offered):
        raise BadInput(f"Autotask has no such {what} any more: choose another one.", field="how")
    return chosen


def _is_remote(db: Session, customer_id: int) -> bool:
    is_manual = ticket_choices(db).source is TicketSource.MANUAL
    return not is_manual and why_no_ticket(db, customer_id) is None


def _called(db: Session, group: CustomerGroup, name: str) -> int:
    if not name.strip():
        raise BadInput("Type the code of the ticket, or a part of it, and choose.", field="ticket")
    found = open_ticket_called(db, group.customer_id, name)
    if found is None:
        raise BadInput(f"{group.customer} has no open ticket with this code.", field="ticket")
    return found


def _about(group: CustomerGroup) -> str:
    jobs = group.jobs[0].name if len(group.jobs) == 1 else plural(len(group.jobs), "job")
    runs = f"{plural(len(group.run_ids), 'run')} of " if group.run_ids else ""
    return f"{runs}{jobs}"
