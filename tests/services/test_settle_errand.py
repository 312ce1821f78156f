"""A person sends again what failed, or gives it up; nothing is forgotten that may have been made."""

from contextlib import suppress

import pytest
from sqlalchemy import select

from shared.clients.queue_memory import MemoryQueues
from shared.clients.queues import Queues
from shared.db.session import transaction
from shared.domain.queue_message import Queue, TicketTask, TicketWork
from shared.domain.ticket import ErrandKind, ErrandState
from shared.models.audit import AuditEntry
from shared.models.tickets import Ticket, TicketRun, TicketScope
from shared.services.add_errand import add_errand
from shared.services.audit import Actor
from shared.services.claim_errands import claim_errand
from shared.services.edit_job import move_job
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


def test_one_that_can_not_be_looked_for_is_looked_for_again_when_somebody_says_so(
    tickets: TicketWorld, actor: Actor
) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    tickets.fake.plan(Fault(effect=Effect.HANG, **CREATE), *([Fault.of(403, on="Tickets/query$")] * 5))
    tickets.send()
    cancel(tickets, ticket_id, actor)

    for again in (retry, cancel):
        tickets.later(minutes=10)
        assert tickets.send() == {"failed": 1}
        assert (tickets.errand(ticket_id).state, tickets.errand(ticket_id).is_withdrawn) == (ErrandState.FAILED, True)
        again(tickets, ticket_id, actor)
    tickets.fake.faults.clear()
    tickets.send()

    assert (is_there(tickets, ticket_id), tickets.fake.tickets) == (False, [])


def test_one_that_is_just_looked_for_waits_for_that(tickets: TicketWorld, actor: Actor) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    tickets.fake.plan(Fault(effect=Effect.HANG, **CREATE))
    tickets.send()
    cancel(tickets, ticket_id, actor)

    for settle in (retry, cancel):
        with pytest.raises(Conflict, match="faster"):
            settle(tickets, ticket_id, actor)


def test_a_word_that_is_given_up_leaves_the_ticket(tickets: TicketWorld, actor: Actor) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    add_errand(tickets.db, ErrandKind.NOTE, ticket_id, {"title": "News", "text": "more"}, actor=actor, now=tickets.now)
    tickets.db.commit()

    assert cancel(tickets, ticket_id, actor) is Cancelled.DROPPED

    assert (tickets.send(), tickets.fake.notes, is_there(tickets, ticket_id)) == ({}, [], True)


def test_a_resolution_that_is_given_up_opens_the_ticket_here_at_once(tickets: TicketWorld, actor: Actor) -> None:
    """After two weeks no look would find it open over there."""
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.resolve(ticket_id)
    tickets.fake.plan(Fault.of(500, "Reason on completion is required.", on="Tickets$", method="PATCH"))
    tickets.send()
    tickets.later(days=20)

    assert cancel(tickets, ticket_id, actor) is Cancelled.REOPENED

    assert (tickets.send(), tickets.fake.tickets[0]["status"]) == ({}, 1)
    assert (tickets.stored(ticket_id).resolved_at, tickets.stored(ticket_id).reopened_at) == (None, tickets.now)
    assert tickets.acts(ticket_id)[-2:] == ["errand.cancelled", "ticket.reopened"]
    tickets.later(minutes=15)
    assert "reopened" not in tickets.poll()


def test_one_that_is_about_no_job_any_more_stays_resolved(tickets: TicketWorld, actor: Actor) -> None:
    job_id = tickets.job()
    ticket_id = tickets.made(tickets.run(job_id).id)
    tickets.resolve(ticket_id)
    with transaction() as db:
        move_job(db, job_id, tickets.customer("Birch Logistics"), actor=actor, now=tickets.now)

    assert cancel(tickets, ticket_id, actor) is Cancelled.DROPPED

    assert tickets.stored(ticket_id).resolved_at is not None
    assert tickets.acts(ticket_id)[-1] == "errand.cancelled"


def test_what_autotask_said_stays_out_of_the_audit_log(tickets: TicketWorld, actor: Actor) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.resolve(ticket_id)
    tickets.fake.plan(Fault.of(500, "Dr Aspen is on holiday.", on="Tickets$", method="PATCH", times=None))
    tickets.send()

    retry(tickets, ticket_id, actor)
    cancel(tickets, ticket_id, actor)

    entries = tickets.db.scalars(select(AuditEntry).where(AuditEntry.action.like("errand.%"))).all()
    assert [each.action for each in entries] == ["errand.retried", "errand.cancelled"]
    assert "Aspen" not in " ".join(f"{each.before} {each.after}" for each in entries)


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
