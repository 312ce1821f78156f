"""A person sends again what failed, or gives it up; nothing is forgotten that may have been made."""

from contextlib import suppress

import pytest
from sqlalchemy import select

from shared.clients.queue_memory import MemoryQueues
from shared.clients.queues import Queues
from shared.db.session import transaction
from shared.domain.queue_message import Queue, TicketTask, TicketWork
from shared.domain.ticket import ErrandState
from shared.models.audit import AuditEntry
from shared.models.tickets import Ticket, TicketRun, TicketScope
from shared.services.audit import Actor
from shared.services.claim_errands import claim_errand
from shared.services.errors import Conflict, NotFound
from shared.services.kick_errands import kick_errands
from shared.services.settle_errand import Cancelled, cancel_errand, retry_errand
from tests.builders import make_user
from tests.fake_autotask import Effect, Fault
from tests.services.ticket_world import HIGH, TicketWorld

CREATE = {"on": "Tickets$", "method": "POST"}


@pytest.fixture
def actor(tickets: TicketWorld) -> Actor:
    made = make_user(tickets.db)
    tickets.db.commit()
    return made


def retry(world: TicketWorld, ticket_id: int, actor: Actor) -> None:
    with transaction() as db:
        retry_errand(db, world.errands(ticket_id)[-1].id, actor=actor, now=world.now)


def cancel(world: TicketWorld, ticket_id: int, actor: Actor) -> Cancelled:
    with transaction() as db:
        return cancel_errand(db, world.errands(ticket_id)[-1].id, actor=actor, now=world.now)


def is_there(world: TicketWorld, ticket_id: int) -> bool:
    return world.db.scalar(select(Ticket.id).where(Ticket.id == ticket_id)) is not None


def test_what_failed_is_sent_again_once_somebody_has_seen_to_it(tickets: TicketWorld, actor: Actor) -> None:
    tickets.set(priority_failed_id="99")
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    tickets.send()
    tickets.set(priority_failed_id=HIGH)

    retry(tickets, ticket_id, actor)
    tickets.send()

    assert len(tickets.fake.tickets) == 1
    assert tickets.errand(ticket_id).state is ErrandState.DONE


def test_a_ticket_that_was_never_sent_goes_with_its_errand_and_the_log_keeps_its_words(
    tickets: TicketWorld, actor: Actor
) -> None:
    job_id = tickets.job()
    run = tickets.run(job_id)
    ticket_id = tickets.ticket(run.id, title="Nightly fails", description="look at the disks")
    tickets.resolve(ticket_id)

    assert cancel_first(tickets, ticket_id, actor) is Cancelled.REMOVED

    assert (is_there(tickets, ticket_id), tickets.errands()) == (False, [])
    for rows in (TicketRun, TicketScope):
        assert tickets.db.scalars(select(rows)).all() == []
    log = select(AuditEntry.before).where(AuditEntry.action == "ticket.removed")
    assert tickets.db.scalars(log).one() == {
        "title": "Nightly fails", "description": "look at the disks", "jobs": [job_id], "runs": [run.id],
    }  # fmt: skip
    assert tickets.send() == {}


def cancel_first(world: TicketWorld, ticket_id: int, actor: Actor) -> Cancelled:
    with transaction() as db:
        return cancel_errand(db, world.errands(ticket_id)[0].id, actor=actor, now=world.now)


@pytest.mark.parametrize("effect", [Effect.LOST, Effect.HANG])
def test_one_that_may_have_been_made_is_looked_for_before_it_is_given_up(
    tickets: TicketWorld, actor: Actor, effect: Effect
) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    tickets.fake.plan(Fault(effect=effect, **CREATE), Fault.of(503, on="Tickets/query$", times=None))
    tickets.send()
    tickets.fake.faults.clear()

    assert cancel(tickets, ticket_id, actor) is Cancelled.WITHDRAWN
    assert tickets.send() == {}  # nobody can tell yet
    tickets.later(minutes=7)
    tickets.send()

    was_made = effect is Effect.LOST
    assert (is_there(tickets, ticket_id), len(tickets.fake.tickets)) == (was_made, int(was_made))
    if was_made:
        assert tickets.stored(ticket_id).ticket_code == tickets.fake.tickets[0]["ticketNumber"]


def test_what_may_have_got_through_is_not_sent_again_before_that_is_settled(tickets: TicketWorld, actor: Actor) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    tickets.fake.plan(Fault(effect=Effect.HANG, **CREATE))
    tickets.send()

    with pytest.raises(Conflict, match="got through"):
        retry(tickets, ticket_id, actor)


def test_what_is_just_being_sent_is_left_alone(tickets: TicketWorld, actor: Actor) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    claim_errand(tickets.db, urgent_only=False, public_url="", now=tickets.now)
    tickets.db.commit()

    for settle in (retry, cancel):
        with pytest.raises(Conflict, match="just being sent"):
            settle(tickets, ticket_id, actor)


def test_what_is_settled_stays_settled(tickets: TicketWorld, actor: Actor) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)

    for settle in (retry, cancel):
        with pytest.raises(Conflict, match="faster"):
            settle(tickets, ticket_id, actor)
    with pytest.raises(NotFound), transaction() as db:
        retry_errand(db, 4_711, actor=actor, now=tickets.now)


def test_a_word_that_is_given_up_leaves_the_ticket(tickets: TicketWorld, actor: Actor) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.resolve(ticket_id)

    assert cancel(tickets, ticket_id, actor) is Cancelled.DROPPED

    assert (tickets.send(), tickets.fake.tickets[0]["status"], is_there(tickets, ticket_id)) == ({}, 1, True)


def kicks(queues: MemoryQueues) -> list[TicketTask]:
    bodies = []
    while (taken := queues.take(Queue.TICKET_ERRANDS.value)) is not None:
        bodies.append(TicketWork.from_json(taken.body).task)
        queues.remove(taken)
    return bodies


def test_errands_are_sent_once_they_are_committed_and_asked_for_once(tickets: TicketWorld) -> None:
    queues = MemoryQueues()

    with transaction() as db:
        kick_errands(db, queues)
        with db.begin_nested():
            kick_errands(db, queues)
        before = kicks(queues)
    after = kicks(queues)

    assert (before, after) == ([], [TicketTask.SEND])


def test_what_is_rolled_back_is_not_sent(tickets: TicketWorld) -> None:
    queues: Queues = MemoryQueues()

    with suppress(RuntimeError), transaction() as db:
        kick_errands(db, queues)
        raise RuntimeError

    assert queues.waiting(Queue.TICKET_ERRANDS) == 0
