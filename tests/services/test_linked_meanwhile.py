"""A ticket whose answer was lost is linked by its number meanwhile: it stays one ticket, and nothing gets stuck."""

from types import ModuleType

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from shared.db.session import transaction
from shared.domain.ticket import ErrandKind, ErrandState
from shared.domain.ticketing import RemoteTicket
from shared.models.jobs import JobRun
from shared.models.tickets import Ticket, TicketRun, TicketScope
from shared.services import claim_errands, send_errands
from shared.services.add_errand import add_errand
from shared.services.adopt_ticket import adopt_ticket
from shared.services.audit import SYSTEM
from shared.services.claim_errands import Claim, claim_errand
from shared.services.errors import BadInput, Conflict
from shared.services.run_errand import Done
from shared.services.send_errands import settle_claim
from shared.services.settle_errand import Cancelled, cancel_errand
from tests.fake_autotask import Effect, Fault
from tests.services.ticket_world import PUBLIC, TicketWorld

CREATE = {"on": "Tickets$", "method": "POST"}


def lost(world: TicketWorld, job_id: int) -> tuple[int, JobRun]:
    """Return a ticket that Autotask made and whose answer was lost, and its run."""
    run = world.run(job_id)
    ticket_id = world.ticket(run.id)
    world.fake.plan(Fault(effect=Effect.LOST, **CREATE), Fault.of(503, on="Tickets/query$", times=None))
    world.send()
    world.fake.faults.clear()
    return ticket_id, run


def seen(world: TicketWorld, place: int = -1) -> RemoteTicket:
    with world.provider() as psa:
        return psa.ticket_by_number(world.fake.tickets[place]["ticketNumber"])


def link(world: TicketWorld, *run_ids: int, found: RemoteTicket | None = None) -> int:
    with transaction() as db:
        return adopt_ticket(db, found or seen(world), run_ids, actor=SYSTEM, now=world.now)


def forget_key(world: TicketWorld) -> None:
    """Let a rule over there have written its own key into the ticket."""
    world.fake.tickets[-1]["externalID"] = "RMM-1"


def remember_key(world: TicketWorld, key: str) -> None:
    world.fake.tickets[-1]["externalID"] = key


def ids(world: TicketWorld) -> list[int]:
    return list(world.db.scalars(select(Ticket.id).order_by(Ticket.id)))


def test_it_is_the_ticket_that_is_being_made(tickets: TicketWorld) -> None:
    ticket_id, run = lost(tickets, tickets.job())

    linked = link(tickets, run.id)
    tickets.later(minutes=25)

    [row] = tickets.fake.tickets
    assert (linked, ids(tickets), tickets.send()) == (ticket_id, [ticket_id], {})
    assert tickets.carried(run.id) == (str(row["id"]), row["ticketNumber"])
    assert tickets.errand(ticket_id).state is ErrandState.DONE
    assert tickets.acts(ticket_id) == ["ticket.made", "ticket.numbered", "ticket.linked"]
    assert tickets.stored(ticket_id).looked_at is not None


def test_it_is_linked_to_what_was_chosen(tickets: TicketWorld) -> None:
    customer_id = tickets.customer()
    ticket_id, _ = lost(tickets, tickets.job(customer_id=customer_id))
    other = tickets.run(tickets.job(customer_id=customer_id))

    link(tickets, other.id)

    assert tickets.carried(other.id) == (tickets.remote(ticket_id), tickets.stored(ticket_id).ticket_code)


def test_to_another_customers_runs_it_is_not_linked(tickets: TicketWorld) -> None:
    ticket_id, _ = lost(tickets, tickets.job())

    with pytest.raises(BadInput):
        link(tickets, tickets.run(tickets.job()).id)

    assert tickets.errand(ticket_id).state is ErrandState.WAITING


def test_one_that_was_closed_meanwhile_is_left_to_its_errand(tickets: TicketWorld) -> None:
    ticket_id, run = lost(tickets, tickets.job())
    tickets.fake.close_ticket(str(tickets.fake.tickets[0]["id"]))

    with pytest.raises(Conflict):
        link(tickets, run.id)
    tickets.later(minutes=7)
    tickets.send()

    assert tickets.stored(ticket_id).remote_id == str(tickets.fake.tickets[0]["id"])


def test_a_second_one_that_was_made_of_it_is_a_ticket_of_its_own(tickets: TicketWorld) -> None:
    ticket_id, run = lost(tickets, tickets.job())
    tickets.later(minutes=7)
    tickets.send()
    first = tickets.fake.tickets[0]
    tickets.fake.add_ticket(externalID=first["externalID"], companyID=first["companyID"], ticketNumber="T20260303.0099")

    linked = link(tickets, run.id)

    assert (linked != ticket_id, tickets.stored(linked).ticket_code) == (True, "T20260303.0099")
    assert tickets.remote(ticket_id) == str(first["id"])


def test_the_worker_that_was_at_it_changes_nothing_any_more(tickets: TicketWorld) -> None:
    run = tickets.run(tickets.job())
    ticket_id = tickets.ticket(run.id)
    claim = claimed(tickets)
    assert claim.draft is not None
    with tickets.provider() as psa:
        made = psa.create(claim.draft)

    link(tickets, run.id)
    with transaction() as db:
        settle_claim(db, claim, Done(ticket=made), now=tickets.now)

    assert ids(tickets) == [ticket_id]
    assert tickets.acts(ticket_id).count("ticket.numbered") == 1


def claimed(world: TicketWorld) -> Claim:
    with transaction() as db:
        claim = claim_errand(db, urgent_only=False, public_url=PUBLIC, now=world.now)
    assert claim is not None
    return claim


def test_two_of_one_become_one_as_soon_as_that_shows(tickets: TicketWorld) -> None:
    """The key was not to be seen when it was linked, so it was taken for somebody's own ticket."""
    customer_id = tickets.customer()
    first, second = (tickets.job(name, customer_id) for name in ("First", "Second"))
    ticket_id, run = lost(tickets, first)
    forget_key(tickets)
    twin = link(tickets, tickets.run(second).id)
    remember_key(tickets, tickets.errand(ticket_id).key)
    note = {"title": "News", "text": "more"}
    add_errand(tickets.db, ErrandKind.NOTE, ticket_id, note, actor=SYSTEM, now=tickets.now)
    tickets.db.commit()
    tickets.later(minutes=7)

    counts = tickets.send()

    assert (counts, ids(tickets), len(tickets.fake.tickets)) == ({"done": 2}, [twin], 1)
    assert set(tickets.db.scalars(select(TicketScope.job_id))) == {first, second}
    assert run.id in tickets.db.scalars(select(TicketRun.job_run_id).where(TicketRun.ticket_id == twin)).all()
    assert tickets.carried(run.id) == (tickets.remote(twin), tickets.stored(twin).ticket_code)
    assert [each["description"] for each in tickets.fake.notes] == ["more"]
    assert [(each.kind, each.ticket_id) for each in tickets.errands()] == [(ErrandKind.NOTE, twin)]
    assert tickets.acts(twin)[-1] == "ticket.joined"
    assert tickets.acts(ticket_id)[-1] == "ticket.removed"


def test_two_of_one_about_the_same_run_become_one(tickets: TicketWorld) -> None:
    ticket_id, run = lost(tickets, tickets.job())
    forget_key(tickets)
    twin = link(tickets, run.id)
    remember_key(tickets, tickets.errand(ticket_id).key)
    tickets.later(minutes=7)

    assert (tickets.send(), ids(tickets)) == ({"done": 1}, [twin])
    assert tickets.send() == {}


def test_two_of_one_become_one_when_the_errand_is_cancelled(tickets: TicketWorld) -> None:
    ticket_id, run = lost(tickets, tickets.job())
    forget_key(tickets)
    twin = link(tickets, run.id)
    remember_key(tickets, tickets.errand(ticket_id).key)

    with transaction() as db:
        cancelled = cancel_errand(db, tickets.errand(ticket_id).id, actor=SYSTEM, now=tickets.now)
    tickets.later(minutes=7)

    assert (cancelled, tickets.send(), ids(tickets)) == (Cancelled.WITHDRAWN, {"done": 1}, [twin])


@pytest.mark.parametrize("module, name", [(send_errands, "take_made"), (claim_errands, "draft_of")])
def test_an_errand_that_breaks_the_app_holds_up_no_other(
    tickets: TicketWorld, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str
) -> None:
    bad, good = (tickets.ticket(tickets.run(tickets.job()).id) for _ in range(2))
    real = getattr(module, name)

    def breaks(db: Session, *args: object, **rest: object) -> object:
        if any(isinstance(each, Ticket) and each.id == bad for each in args):
            db.execute(text("SELECT 1 / 0"))
        return real(db, *args, **rest)

    monkeypatch.setattr(module, name, breaks)
    tickets.send()
    stuck = tickets.errand(bad)

    assert (tickets.errand(good).state, stuck.attempts) == (ErrandState.DONE, 1)
    assert "its log says why" in stuck.last_error
    assert stuck.due_at > tickets.now
    monkeypatch.undo()
    tickets.later(hours=1)
    tickets.send()
    assert tickets.errand(bad).state is ErrandState.DONE
    assert len(tickets.fake.tickets) == 2
