"""A ticket is its number and its company too: what has its id and is another one hears nothing of this one."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import update

from shared.db.session import transaction
from shared.domain.status import Status
from shared.domain.ticket import ErrandKind, ErrandState
from shared.domain.ticketing import Mismatch
from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.models.tickets import Ticket
from shared.services.add_errand import add_errand
from shared.services.adopt_ticket import adopt_ticket
from shared.services.audit import SYSTEM
from shared.services.errors import Conflict
from shared.services.refresh_ticket import Refreshed
from shared.services.settle_errand import cancel_errand
from tests.fake_autotask import Effect, Fault
from tests.services.test_incidents import fails, look, notes
from tests.services.ticket_world import TicketWorld

Changed = Callable[[TicketWorld, int], None]
MADE = ["ticket.made", "ticket.numbered"]


def moved_away(world: TicketWorld, ticket_id: int) -> None:
    """Let a technician move the ticket to another company."""
    world.fake.edit_ticket(world.remote(ticket_id), companyID=int(world.fake.add_company("Another company")))


def of_another_tenant(world: TicketWorld, ticket_id: int) -> None:
    """Let the credentials be those of another database, where somebody's ticket has the same id."""
    stranger = {
        "externalID": "", "ticketNumber": "T20250101.0007", "title": "The printer is broken",
        "companyID": int(world.fake.add_company("A stranger")),
    }  # fmt: skip
    world.fake.world.tickets[int(world.remote(ticket_id))] |= stranger


both = pytest.mark.parametrize(
    "changed, mismatch", [(moved_away, Mismatch.COMPANY), (of_another_tenant, Mismatch.NUMBER)]
)


def a_note(world: TicketWorld, ticket_id: int) -> None:
    with transaction() as db:
        content = {"title": "Still failing", "text": "SRV-07 fails too"}
        add_errand(db, ErrandKind.NOTE, ticket_id, content, actor=SYSTEM, now=world.now)


@both
def test_another_ticket_of_its_id_is_not_followed_and_that_is_told_once(
    tickets: TicketWorld, changed: Changed, mismatch: Mismatch
) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    before = tickets.stored(ticket_id).remote_status_id
    changed(tickets, ticket_id)
    tickets.fake.close_ticket(tickets.remote(ticket_id))
    for _ in range(3):
        tickets.later(minutes=15)
        tickets.poll()

    ticket = tickets.stored(ticket_id)
    assert (ticket.remote_mismatch, ticket.resolved_at, ticket.remote_status_id) == (mismatch, None, before)
    assert tickets.acts(ticket_id) == [*MADE, "ticket.not_recognised"]
    assert tickets.refresh(ticket_id) is Refreshed.ANOTHER


@both
def test_what_is_new_is_not_told_to_another_ticket(tickets: TicketWorld, changed: Changed, mismatch: Mismatch) -> None:
    job_id = tickets.job()
    ticket_id = tickets.made(fails(tickets, job_id).id)
    changed(tickets, ticket_id)
    tickets.later(days=1)
    tickets.poll()
    fails(tickets, job_id, "SRV-07", says="access denied")

    look(tickets)

    assert (tickets.stored(ticket_id).remote_mismatch, notes(tickets)) == (mismatch, [])
    assert [each.kind for each in tickets.errands(ticket_id)] == [ErrandKind.CREATE]


@both
@pytest.mark.parametrize("kind", [ErrandKind.NOTE, ErrandKind.RESOLVE])
def test_before_the_next_poll_nothing_is_sent_to_another_ticket_either(
    tickets: TicketWorld, changed: Changed, mismatch: Mismatch, kind: ErrandKind
) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    changed(tickets, ticket_id)
    tickets.later(minutes=1)
    if kind is ErrandKind.NOTE:
        a_note(tickets, ticket_id)
    else:
        tickets.resolve(ticket_id)
    before = dict(tickets.fake.tickets[0])

    counts = tickets.send()

    errand = tickets.errands(ticket_id)[-1]
    told = {Mismatch.COMPANY: "At Autotask this is now another company's ticket", Mismatch.NUMBER: "T20250101.0007"}
    assert (counts, errand.state, told[mismatch] in errand.last_error) == ({"failed": 1}, ErrandState.FAILED, True)
    assert (tickets.fake.tickets[0], tickets.fake.notes) == (before, [])


def test_what_ends_here_as_another_ticket_stays_ended_when_the_word_is_given_up(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    moved_away(tickets, ticket_id)
    tickets.later(minutes=15)
    tickets.resolve(ticket_id)
    tickets.send()
    tickets.poll()

    cancel_errand(tickets.db, tickets.errands(ticket_id)[-1].id, actor=SYSTEM, now=tickets.now)
    tickets.db.commit()
    tickets.later(minutes=15)
    tickets.poll()

    assert tickets.stored(ticket_id).resolved_at is not None


def test_good_runs_do_not_resolve_a_ticket_that_is_another_one_over_there(tickets: TicketWorld) -> None:
    tickets.set(resolve_after_good=1)
    job_id = tickets.job()
    ticket_id = tickets.made(fails(tickets, job_id).id)
    moved_away(tickets, ticket_id)
    tickets.later(days=1)
    tickets.poll()
    tickets.run(job_id, Status.SUCCESS)

    look(tickets)

    assert tickets.stored(ticket_id).resolved_at is None


def test_a_ticket_that_comes_back_to_its_company_is_followed_again(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    company_id = tickets.stored(ticket_id).remote_company_id
    moved_away(tickets, ticket_id)
    tickets.later(minutes=15)
    tickets.poll()
    assert company_id is not None
    tickets.fake.edit_ticket(tickets.remote(ticket_id), companyID=int(company_id), status=5)
    tickets.later(minutes=15)

    tickets.poll()

    ticket = tickets.stored(ticket_id)
    assert (ticket.remote_mismatch, ticket.resolved_at is not None) == (None, True)
    assert tickets.acts(ticket_id)[-2:] == ["ticket.recognised", "ticket.resolved"]


def test_a_ticket_may_go_along_with_its_customer_to_another_company(tickets: TicketWorld) -> None:
    """Two companies were merged over there, and here the customer was given the one that is left."""
    job_id = tickets.job()
    ticket_id = tickets.made(fails(tickets, job_id).id)
    moved_away(tickets, ticket_id)
    company_id = str(tickets.fake.tickets[0]["companyID"])
    tickets.db.execute(update(Customer).values(autotask_company_id=company_id))
    tickets.db.commit()
    tickets.later(days=1)
    tickets.poll()
    fails(tickets, job_id, says="access denied")

    look(tickets)

    ticket = tickets.stored(ticket_id)
    assert (ticket.remote_mismatch, ticket.remote_company_id, len(notes(tickets))) == (None, company_id, 1)


def test_of_a_ticket_from_before_the_company_is_learned_where_its_number_is_right(tickets: TicketWorld) -> None:
    right, wrong = (tickets.made(tickets.run(tickets.job()).id) for _ in range(2))
    company_id = tickets.stored(right).remote_company_id
    tickets.db.execute(update(Ticket).values(remote_company_id=None))
    tickets.db.commit()
    of_another_tenant(tickets, wrong)
    tickets.later(minutes=15)

    tickets.poll()

    known = [(tickets.stored(each).remote_company_id, tickets.stored(each).remote_mismatch) for each in (right, wrong)]
    assert known == [(company_id, None), (None, Mismatch.NUMBER)]
    moved_away(tickets, right)
    tickets.later(minutes=15)
    tickets.poll()
    assert tickets.stored(right).remote_mismatch is Mismatch.COMPANY


def test_a_number_that_somebody_had_typed_by_hand_is_no_other_number(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    ticket = tickets.stored(ticket_id)
    code = f"{ticket.ticket_code} ({ticket.remote_id})"  # as `number_ticket` writes it then
    tickets.db.execute(update(Ticket).where(Ticket.id == ticket_id).values(ticket_code=code, remote_company_id=None))
    tickets.db.commit()
    tickets.later(minutes=15)

    tickets.poll()

    assert (tickets.stored(ticket_id).remote_mismatch, tickets.stored(ticket_id).remote_company_id is None) == (
        None, False,
    )  # fmt: skip


def test_a_deletion_of_another_number_is_none_of_this_ticket(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    of_another_tenant(tickets, ticket_id)
    tickets.fake.delete_ticket(tickets.remote(ticket_id))
    tickets.later(minutes=15)

    counts = tickets.poll()

    assert (counts["deleted"], tickets.stored(ticket_id).deleted_at) == (0, None)


def test_a_ticket_that_was_taken_over_is_known_by_its_company_too(tickets: TicketWorld) -> None:
    ticket_id = adopted(tickets, tickets.job())
    moved_away(tickets, ticket_id)
    tickets.later(minutes=15)

    tickets.poll()

    assert tickets.stored(ticket_id).remote_mismatch is Mismatch.COMPANY


@both
def test_what_is_another_ticket_by_now_is_not_linked_by_its_number(
    tickets: TicketWorld, changed: Changed, mismatch: Mismatch
) -> None:
    job_id = tickets.job()
    ticket_id = tickets.made(tickets.run(job_id).id)
    changed(tickets, ticket_id)
    tickets.later(days=1)
    run = tickets.run(job_id)

    with pytest.raises(Conflict, match="At Autotask"):
        link_by_number(tickets, run.id)

    assert mismatch is not None


def test_knowing_whom_it_tells_costs_a_note_one_call_and_a_resolution_none(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    a_note(tickets, ticket_id)
    before = len(tickets.fake.signed_calls)
    tickets.send()
    of_a_note = len(tickets.fake.signed_calls) - before
    tickets.later(minutes=5)
    tickets.resolve(ticket_id)
    tickets.send()

    assert (of_a_note, len(tickets.fake.signed_calls) - before - of_a_note) == (2, 3)


def test_a_note_that_got_through_is_not_failed_by_what_became_of_the_ticket(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    a_note(tickets, ticket_id)
    tickets.fake.plan(Fault(effect=Effect.LOST, on="Notes$", method="POST"))
    tickets.send()
    moved_away(tickets, ticket_id)
    tickets.later(minutes=10)

    tickets.send()

    assert tickets.errands(ticket_id)[-1].state is ErrandState.DONE


def adopted(world: TicketWorld, job_id: int) -> int:
    """Let a ticket that somebody made over there be linked to a run of the job."""
    run = world.run(job_id)
    company = world.db.get_one(Customer, world.db.get_one(Job, job_id).customer_id).autotask_company_id
    world.fake.add_ticket(companyID=int(company or 0))
    return link_by_number(world, run.id)


def link_by_number(world: TicketWorld, run_id: int) -> int:
    row: dict[str, Any] = world.fake.tickets[-1]
    with world.provider() as psa:
        found = psa.ticket_by_number(row["ticketNumber"])
    with transaction() as db:
        return adopt_ticket(db, found, [run_id], actor=SYSTEM, now=world.now)
