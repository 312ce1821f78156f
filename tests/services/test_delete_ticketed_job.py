"""A job that is deleted leaves no ticket or remark open that is about nothing any more."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.ticketing import RemoteTicket, TicketState
from shared.models.audit import AuditEntry
from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.models.ticketing import Errand
from shared.models.tickets import Remark, Ticket
from shared.services.adopt_ticket import adopt_ticket
from shared.services.apply_remote import apply_seen
from shared.services.audit import Actor
from shared.services.edit_job import archive_job, delete_job
from shared.services.errors import Conflict
from shared.services.remarks import add_remark, reopen_remark
from shared.services.tickets import reopen_ticket, resolve_scope
from tests.builders import make_customer, make_job, make_user
from tests.services.linked_world import NOON, failed, linked, ticket_on, with_autotask

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


def two_jobs(db: Session) -> list[int]:
    customer_id = make_customer(db)
    return [make_job(db, name, customer_id=customer_id) for name in ("One", "Other")]


def delete(db: Session, job_id: int, actor: Actor) -> None:
    archive_job(db, job_id, actor=actor, now=NOON)
    delete_job(db, job_id, actor=actor, now=LATER)


def resolved_at(db: Session, what: type[Ticket] | type[Remark], row_id: int) -> object:
    return db.get_one(what, row_id, populate_existing=True).resolved_at


def acts(db: Session, subject_type: str) -> list[tuple[str, object]]:
    of_type = select(AuditEntry.action, AuditEntry.after).where(AuditEntry.subject_type == subject_type)
    return [(row[0], row[1]) for row in db.execute(of_type.order_by(AuditEntry.id))]


@pytest.mark.parametrize("is_remote", [False, True])
def test_a_ticket_without_any_job_is_resolved_here(db: Session, actor: Actor, *, is_remote: bool) -> None:
    job_id = make_job(db)
    run = failed(db, job_id)
    ticket_id = ticket_on(db, [run], actor)
    if is_remote:
        with_autotask(db, run, ticket_id)

    delete(db, job_id, actor)

    note = "its last open job was deleted" + ("; Autotask was not told" if is_remote else "")
    ticket = db.get_one(Ticket, ticket_id, populate_existing=True)
    assert (ticket.resolved_at, ticket.resolved_by) == (LATER, actor.user_id)
    assert acts(db, "ticket")[-1] == ("ticket.resolved", {"note": note})
    assert db.scalars(select(Errand)).all() == []


def test_a_ticket_that_is_open_for_another_job_stays_open(db: Session, actor: Actor) -> None:
    jobs = two_jobs(db)
    ticket_id = ticket_on(db, [failed(db, job_id) for job_id in jobs], actor)

    delete(db, jobs[0], actor)

    assert resolved_at(db, Ticket, ticket_id) is None


@pytest.mark.parametrize("is_remote, expected", [(False, LATER), (True, None)])
def test_one_that_is_over_for_the_others_ends_unless_autotask_would_open_it_again(
    db: Session, actor: Actor, *, is_remote: bool, expected: object
) -> None:
    jobs = two_jobs(db)
    runs = [failed(db, job_id) for job_id in jobs]
    ticket_id = ticket_on(db, runs, actor)
    if is_remote:
        with_autotask(db, runs[0], ticket_id)
    resolve_scope(db, ticket_id, jobs[0], actor=actor, now=NOON)

    delete(db, jobs[1], actor)

    assert resolved_at(db, Ticket, ticket_id) == expected


def test_a_remark_without_any_open_job_is_resolved(db: Session, actor: Actor) -> None:
    jobs = two_jobs(db)
    runs = [failed(db, job_id).id for job_id in jobs]
    of_one = add_remark(db, body="of one", run_ids=runs[:1], actor=actor, now=NOON)
    of_both = add_remark(db, body="of both", run_ids=runs, actor=actor, now=NOON)

    delete(db, jobs[0], actor)

    assert [resolved_at(db, Remark, remark_id) for remark_id in (of_one, of_both)] == [LATER, None]
    assert acts(db, "remark")[-1] == ("remark.resolved", {"note": "its last open job was deleted"})


def test_what_ended_so_is_not_reopened(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    run = failed(db, job_id)
    ticket_id = ticket_on(db, [run], actor)
    remark_id = add_remark(db, body="disks are on their way", run_ids=[run.id], actor=actor, now=NOON)

    delete(db, job_id, actor)

    with pytest.raises(Conflict, match="no job"):
        reopen_ticket(db, ticket_id, actor=actor, now=LATER)
    with pytest.raises(Conflict, match="no job"):
        reopen_remark(db, remark_id, actor=actor, now=LATER)


def test_one_of_autotask_is_not_opened_by_a_poll_but_by_who_names_it_for_another_job(db: Session, actor: Actor) -> None:
    jobs = two_jobs(db)
    customer = db.get_one(Customer, db.get_one(Job, jobs[0]).customer_id)
    customer.autotask_company_id, customer.autotask_company_name, customer.autotask_mapping = "12", "Acme", "ok"
    run, another = failed(db, jobs[0]), failed(db, jobs[1])
    found = RemoteTicket(
        id="77", number="T20260601.0001", key="", company_id="12", title="Disk full", status_id="1",
        state=TicketState.OPEN, completed_at=None, last_activity_at=None,
    )  # fmt: skip
    ticket_id = adopt_ticket(db, found, [run.id], actor=actor, now=NOON)
    delete(db, jobs[0], actor)

    apply_seen(db, [found], looked_at=LATER, now=LATER)
    polled = resolved_at(db, Ticket, ticket_id)
    adopt_ticket(db, found, [another.id], actor=actor, now=LATER)

    assert polled == LATER
    assert resolved_at(db, Ticket, ticket_id) is None
    assert linked(db, ticket_id) == {another.id}
    assert [action for action, _ in acts(db, "ticket")][-2:] == ["ticket.reopened", "ticket.linked"]
