"""A job goes before its ticket is made: to another customer, or for good."""

import pytest
from sqlalchemy import delete

from shared.db.session import transaction
from shared.domain.status import Status
from shared.domain.ticket import ErrandState
from shared.models.jobs import Job
from shared.services.audit import SYSTEM
from shared.services.edit_job import move_job
from shared.services.tickets import resolve_scope
from tests.fake_autotask import Effect, Fault
from tests.services.ticket_world import LOW, TicketWorld

CREATE = {"on": "Tickets$", "method": "POST"}


def lose(world: TicketWorld, job_id: int, *, is_deleted: bool = False) -> None:
    """Let a job go to another customer, or be deleted."""
    other = world.customer("Birch Logistics")
    with transaction() as db:
        if is_deleted:
            db.execute(delete(Job).where(Job.id == job_id))
        else:
            move_job(db, job_id, other, actor=SYSTEM, now=world.now)


@pytest.mark.parametrize("how", ["moved", "deleted"])
def test_a_ticket_whose_job_is_gone_is_not_made(tickets: TicketWorld, how: str) -> None:
    job_id = tickets.job(customer_id=tickets.customer("Aspen Dental"))
    ticket_id = tickets.ticket(tickets.run(job_id).id)
    lose(tickets, job_id, is_deleted=how == "deleted")

    assert (tickets.send(), tickets.fake.tickets) == ({}, [])
    errand = tickets.errand(ticket_id)
    assert errand.state is ErrandState.FAILED
    assert "none of its jobs" in errand.last_error.lower()


def test_one_that_may_have_been_made_before_its_job_went_is_looked_for(tickets: TicketWorld) -> None:
    job_id = tickets.job(customer_id=tickets.customer("Aspen Dental"))
    ticket_id = tickets.ticket(tickets.run(job_id).id)
    tickets.fake.plan(Fault(effect=Effect.LOST, **CREATE), *([Fault.of(503, on="Tickets/query$")] * 12))
    tickets.send()
    tickets.fake.faults.clear()
    lose(tickets, job_id)
    tickets.later(minutes=7)

    tickets.send()

    assert tickets.remote(ticket_id) == str(tickets.fake.tickets[0]["id"])


def test_of_a_job_that_was_moved_nothing_is_told_to_the_customer_it_left(tickets: TicketWorld) -> None:
    customer_id = tickets.customer("Aspen Dental")
    moved, kept = (tickets.job(name, customer_id) for name in ("Moved", "Kept"))
    runs = [tickets.run(moved), tickets.run(kept, Status.WARNING)]
    tickets.ticket(*(run.id for run in runs), description="")
    lose(tickets, moved)

    tickets.send()

    [row] = tickets.fake.tickets
    assert row["description"].startswith("Kept (")
    assert "Moved" not in row["description"]
    assert "Birch" not in row["title"] + row["description"]
    assert row["priority"] == int(LOW)


def test_one_that_is_over_for_its_job_is_made_and_resolved(tickets: TicketWorld) -> None:
    """It was resolved before it was made: both words arrive, however it was resolved."""
    job_id = tickets.job()
    ticket_id = tickets.ticket(tickets.run(job_id).id)
    with transaction() as db:
        resolve_scope(db, ticket_id, job_id, actor=SYSTEM, now=tickets.now)

    tickets.send()

    assert [row["status"] for row in tickets.fake.tickets] == [5]
