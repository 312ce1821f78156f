"""What holds a poll up, and what does not: trouble with proofs, and others who write at the same time."""

import threading
from datetime import timedelta
from typing import Any

import pytest

from shared.db.session import transaction
from shared.domain.poll_course import poll_is_due
from shared.domain.ticket import ErrandKind, ErrandState
from shared.domain.ticketing import Pace
from shared.services import poll_tickets as poller
from shared.services import send_errands as sender
from shared.services.add_errand import add_errand
from shared.services.audit import SYSTEM
from shared.services.claim_errands import claim_errand
from shared.services.run_errand import Failed
from tests.fake_autotask import Effect, Fault
from tests.services.test_poll_tickets import poll_and_meanwhile
from tests.services.ticket_world import PUBLIC, TicketWorld

LOG: Any = {"on": "DeletedTicketLogs", "times": None}


@pytest.mark.parametrize(
    "fault",
    [Fault.of(500, "The logged in resource may not query this entity.", **LOG), Fault.of(404, **LOG),
     Fault.of(503, **LOG), Fault(effect=Effect.CLOSE, **LOG), Fault(effect=Effect.HALF, **LOG)],
    ids=["other words", "no such route", "out of order", "no answer", "half an answer"],
)  # fmt: skip
def test_trouble_with_the_log_of_deletions_proves_nothing_and_holds_nothing_up(
    tickets: TicketWorld, fault: Fault
) -> None:
    hidden, closed = tickets.tickets(2)
    tickets.fake.hide(tickets.remote(hidden))
    tickets.fake.close_ticket(tickets.remote(closed))
    tickets.fake.plan(fault)
    tickets.later(minutes=15)

    counts = tickets.poll()

    assert counts == {"polled": 2, "unseen": 1, "deleted": 0, "resolved": 1}
    ticket, state = tickets.stored(hidden), tickets.state()
    assert (ticket.deleted_at, ticket.resolved_at, ticket.misses) == (None, None, 1)
    assert (state.polled_at, state.vanished) == (tickets.now, 0)
    assert "whether they were deleted could not be found out" in state.poll_error
    tickets.fake.faults.clear()
    tickets.later(minutes=15)
    tickets.poll()
    assert tickets.state().poll_error == ""


def test_who_is_told_to_wait_while_he_asks_for_proofs_waits_and_keeps_what_he_saw(tickets: TicketWorld) -> None:
    hidden, closed = tickets.tickets(2)
    tickets.fake.hide(tickets.remote(hidden))
    tickets.fake.close_ticket(tickets.remote(closed))
    tickets.fake.plan(Fault.throttle("400", on="DeletedTicketLogs"))
    tickets.later(minutes=15)

    first = tickets.poll()
    tickets.later(seconds=399)
    second = tickets.poll()
    tickets.later(seconds=1)

    assert (first["resolved"], second, tickets.poll()["polled"]) == (1, {}, 2)


def test_a_sign_in_that_is_refused_while_proofs_are_asked_for_ends_the_poll(tickets: TicketWorld) -> None:
    hidden = tickets.made(tickets.run(tickets.job()).id)
    tickets.fake.hide(tickets.remote(hidden))
    tickets.fake.plan(Fault.of(401, **LOG))
    tickets.later(minutes=15)

    assert tickets.poll() == {"given_up": 1}
    assert "refused" in tickets.state().poll_error


def test_one_empty_place_that_can_not_be_looked_at_does_not_hide_the_other_deletions(tickets: TicketWorld) -> None:
    one, other = tickets.tickets(2)
    remotes = [tickets.remote(each) for each in (one, other)]
    for remote_id in remotes:
        tickets.fake.delete_ticket(remote_id)
    tickets.fake.plan(Fault.of(500, "Something is wrong with it.", on=f"Tickets/{remotes[0]}$", times=None))
    tickets.later(minutes=15)

    tickets.poll()

    assert [tickets.stored(each).deleted_at is not None for each in (one, other)] == [False, True]


def test_the_end_of_a_poll_and_a_choice_that_was_refused_do_not_wait_for_each_other(
    tickets: TicketWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The errand holds the ticket and wants the state; the poll that ends at that moment wants the ticket."""
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.fake.close_ticket(tickets.remote(ticket_id))
    tickets.later(minutes=5)
    with transaction() as db:
        add_errand(db, ErrandKind.NOTE, ticket_id, {"title": "x", "text": "y"}, actor=SYSTEM, now=tickets.now)
    with transaction() as db:
        claim = claim_errand(db, urgent_only=False, public_url=PUBLIC, now=tickets.now)
    assert claim is not None
    is_locked, is_polling = threading.Event(), threading.Event()
    lock, apply = sender.lock_tickets, poller.apply_seen

    def lock_and_wait(*args: object) -> object:
        found = lock(*args)  # type: ignore[arg-type]
        is_locked.set()
        is_polling.wait(10)
        return found

    def wait_and_apply(*args: object, **rest: object) -> object:
        is_polling.set()
        return apply(*args, **rest)  # type: ignore[arg-type]

    monkeypatch.setattr(sender, "lock_tickets", lock_and_wait)
    monkeypatch.setattr(poller, "apply_seen", wait_and_apply)

    def settle() -> None:
        refused = Failed(says="Picklist value [3] does not exist", reference_is_stale=True)
        with transaction() as db:
            sender.settle_claim(db, claim, refused, now=tickets.now)

    thread = threading.Thread(target=settle)
    thread.start()
    is_locked.wait(10)
    counts = tickets.poll()
    thread.join(10)

    assert counts["resolved"] == 1
    assert tickets.errands(ticket_id)[-1].state is ErrandState.FAILED
    assert (tickets.state().choices_at, tickets.state().polled_at) == (None, tickets.now)


def test_the_next_poll_is_counted_from_the_begin_of_the_last_however_long_that_took(tickets: TicketWorld) -> None:
    tickets.made(tickets.run(tickets.job()).id)
    began, every = tickets.later(minutes=5), timedelta(minutes=5)

    poll_and_meanwhile(tickets, lambda: tickets.later(minutes=4))

    polled_at = tickets.state().polled_at
    assert polled_at == began
    assert not poll_is_due(polled_at, every, Pace.NORMAL, now=began + timedelta(minutes=4))
    assert poll_is_due(polled_at, every, Pace.NORMAL, now=began + every)
