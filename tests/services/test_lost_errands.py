"""What was sent and got no answer is sent once more, and then a person is asked: he knows where else to look."""

import socket

import pytest
from sqlalchemy import update
from sqlalchemy.orm import Session

from shared.clients.autotask_line import SETTLES_IN
from shared.db.session import transaction
from shared.domain.errand_course import CLAIM
from shared.domain.ticket import ErrandKind, ErrandState, MappingState
from shared.models.customers import Customer
from shared.services.add_errand import add_errand
from shared.services.audit import SYSTEM
from shared.services.claim_errands import Claim, claim_errand, note_sending
from shared.services.run_errand import Failed, run_errand
from shared.services.send_errands import settle_claim
from shared.services.settle_errand import Cancelled, cancel_errand, retry_errand
from tests.fake_autotask import Effect, Fault
from tests.services.ticket_world import PUBLIC, TicketWorld

CREATE = {"on": "Tickets$", "method": "POST"}
NOTE = {"on": "Notes$", "method": "POST"}


def lose_answers(world: TicketWorld, **on: str) -> None:
    """Let our user add tickets and notes that he does not see, and let no answer about them arrive."""
    world.fake.user.sees = lambda row: not str(row.get("externalID", "")).startswith("bck-")
    world.fake.plan(Fault(effect=Effect.LOST, times=None, **on))


def send_for_long(world: TicketWorld) -> None:
    for _ in range(6):
        world.send()
        world.later(hours=1, minutes=10)


def retry(world: TicketWorld, ticket_id: int) -> None:
    with transaction() as db:
        retry_errand(db, world.errands(ticket_id)[-1].id, actor=SYSTEM, now=world.now)


def note(world: TicketWorld, ticket_id: int) -> None:
    add_errand(world.db, ErrandKind.NOTE, ticket_id, {"title": "News", "text": "more"}, actor=SYSTEM, now=world.now)
    world.db.commit()


def test_a_ticket_that_is_never_to_be_seen_is_sent_twice_and_then_told(tickets: TicketWorld) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    lose_answers(tickets, **CREATE)

    send_for_long(tickets)

    errand = tickets.errand(ticket_id)
    assert {row["externalID"] for row in tickets.fake.tickets} == {errand.key}
    assert (len(tickets.fake.tickets), errand.state, errand.was_sent) == (2, ErrandState.FAILED, True)
    assert "may have been made" in errand.last_error
    assert "look there" in errand.last_error


def test_before_it_is_told_it_is_looked_for(tickets: TicketWorld) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    lose_answers(tickets, **CREATE)
    for _ in range(2):
        tickets.send()
        tickets.later(hours=1)
    tickets.fake.user.sees = lambda row: True

    tickets.send()

    assert tickets.errand(ticket_id).state is ErrandState.DONE
    assert tickets.remote(ticket_id) in {str(row["id"]) for row in tickets.fake.tickets}
    assert len(tickets.fake.tickets) == 2


def test_a_person_who_says_so_has_it_looked_for_and_sent_again(tickets: TicketWorld) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    lose_answers(tickets, **CREATE)
    send_for_long(tickets)
    tickets.fake.faults.clear()

    retry(tickets, ticket_id)
    looks = len(tickets.fake.calls_to("Tickets/query"))
    tickets.send()

    assert len(tickets.fake.tickets) == 3
    assert len(tickets.fake.calls_to("Tickets/query")) == looks + 1
    assert tickets.errand(ticket_id).state is ErrandState.DONE


def test_a_person_who_says_so_makes_no_second_one_where_it_is_found(tickets: TicketWorld) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    lose_answers(tickets, **CREATE)
    send_for_long(tickets)
    tickets.fake.user.sees = lambda row: True

    retry(tickets, ticket_id)
    tickets.send()

    assert (len(tickets.fake.tickets), tickets.errand(ticket_id).state) == (2, ErrandState.DONE)


def test_one_that_is_given_up_then_goes_when_it_is_not_found(tickets: TicketWorld) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    lose_answers(tickets, **CREATE)
    send_for_long(tickets)

    with transaction() as db:
        means = cancel_errand(db, tickets.errand(ticket_id).id, actor=SYSTEM, now=tickets.now)
    tickets.send()

    assert (means, tickets.errands(), len(tickets.fake.tickets)) == (Cancelled.WITHDRAWN, [], 2)


def test_a_note_that_is_never_to_be_seen_is_sent_twice_and_then_told(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.fake.plan(Fault(effect=Effect.LOST, times=None, **NOTE))
    note(tickets, ticket_id)
    for _ in range(6):
        tickets.send()
        for each in tickets.fake.notes:
            each["title"] = "a rule over there gave it this title"
        tickets.later(hours=1, minutes=10)

    errand = tickets.errands(ticket_id)[-1]
    assert (len(tickets.fake.notes), errand.state) == (2, ErrandState.FAILED)
    assert "may have been made" in errand.last_error


def test_before_a_note_is_told_it_is_looked_for(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    note(tickets, ticket_id)
    tickets.fake.plan(Fault(effect=Effect.HANG, **NOTE), Fault(effect=Effect.LOST, **NOTE))

    for _ in range(3):
        tickets.send()
        tickets.later(hours=1)

    assert (len(tickets.fake.notes), tickets.errands(ticket_id)[-1].state) == (1, ErrandState.DONE)


@pytest.mark.parametrize(
    "fault",
    [
        Fault.of(503, on="ZoneInformation", times=None),
        Fault.throttle("600", on="Tickets$", times=None),
        Fault.of(401, on="Tickets$", times=None),
    ],
)
def test_what_surely_did_not_arrive_is_not_lost(tickets: TicketWorld, fault: Fault) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    tickets.fake.plan(fault)

    for _ in range(4):
        tickets.send()
        tickets.later(hours=2)

    errand = tickets.errand(ticket_id)
    assert (errand.state, errand.times_lost, errand.was_sent) == (ErrandState.WAITING, 0, False)


def test_where_nobody_answers_nothing_is_lost(tickets: TicketWorld) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    with socket.create_server(("127.0.0.1", 0)) as server:
        tickets.fake.send_zone_to(f"http://127.0.0.1:{server.getsockname()[1]}")

    for _ in range(3):
        tickets.send()
        tickets.later(hours=2)

    assert (tickets.errand(ticket_id).state, tickets.errand(ticket_id).times_lost) == (ErrandState.WAITING, 0)


def test_a_worker_that_died_over_sending_may_have_sent(tickets: TicketWorld) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    for _ in range(2):
        with transaction() as db:
            note_sending(db, claimed(db, tickets))
        tickets.later(seconds=CLAIM.total_seconds())

    assert tickets.send() == {"failed": 1}
    assert (tickets.fake.tickets, tickets.errand(ticket_id).state) == ([], ErrandState.FAILED)


def test_a_worker_that_died_before_has_lost_nothing(tickets: TicketWorld) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    for _ in range(3):
        with transaction() as db:
            claimed(db, tickets)
        tickets.later(seconds=CLAIM.total_seconds())

    assert (tickets.send(), tickets.errand(ticket_id).times_lost) == ({"done": 1}, 1)


def claimed(db: Session, world: TicketWorld) -> Claim:
    claim = claim_errand(db, urgent_only=False, public_url=PUBLIC, now=world.now)
    assert claim is not None
    return claim


def test_what_can_not_be_sent_any_more_is_looked_for_where_it_may_exist(tickets: TicketWorld) -> None:
    customer_id = tickets.customer()
    made, unmade = (tickets.ticket(tickets.run(tickets.job(customer_id=customer_id)).id) for _ in range(2))
    blind = Fault.of(503, on="Tickets/query$", times=None)
    tickets.fake.plan(Fault(effect=Effect.LOST, **CREATE), Fault(effect=Effect.HANG, **CREATE), blind)
    tickets.send()
    tickets.fake.faults.clear()
    tickets.db.execute(update(Customer).values(autotask_mapping=MappingState.MISSING))
    tickets.db.commit()
    tickets.later(seconds=SETTLES_IN.total_seconds())

    assert tickets.send() == {"done": 1, "failed": 1}
    assert tickets.remote(made) == str(tickets.fake.tickets[0]["id"])
    assert tickets.errand(unmade).state is ErrandState.FAILED
    assert "any more" in tickets.errand(unmade).last_error
    assert len(tickets.fake.tickets) == 1


def test_what_broke_off_in_the_middle_rests_until_it_is_settled(
    tickets: TicketWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("shared.clients.autotask_changes.create", breaks)
    tickets.send()

    errand = tickets.errand(ticket_id)
    assert (errand.due_at, errand.times_lost, errand.was_sent) == (tickets.now + SETTLES_IN, 1, True)


def test_what_broke_off_while_it_was_looked_for_was_not_sent(
    tickets: TicketWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    tickets.fake.plan(Fault(effect=Effect.HANG, **CREATE))
    tickets.send()

    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("shared.clients.autotask_tickets.by_key", breaks)
    for _ in range(3):
        tickets.later(hours=1)
        tickets.send()

    assert (tickets.errand(ticket_id).state, tickets.errand(ticket_id).times_lost) == (ErrandState.WAITING, 1)


def test_a_worker_that_outlived_its_claim_sends_nothing(tickets: TicketWorld) -> None:
    """Somebody else sent it meanwhile, and that may not be to be seen yet."""
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    with transaction() as db:
        old = claimed(db, tickets)
    tickets.later(seconds=CLAIM.total_seconds())
    tickets.send()

    def still_ours() -> None:
        with transaction() as db:
            note_sending(db, old)

    with tickets.provider() as psa, transaction() as db:
        settle_claim(db, old, run_errand(psa, old, about_to_send=still_ours), now=tickets.now)

    assert len(tickets.fake.calls_to("Tickets", method="POST")) == 1
    assert tickets.errand(ticket_id).state is ErrandState.DONE


def test_a_worker_that_outlived_its_claim_settles_nothing_of_a_later_one(tickets: TicketWorld) -> None:
    """A person had it sent again meanwhile, so the attempts are counted anew."""
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    with transaction() as db:
        old = claimed(db, tickets)
    tickets.later(seconds=CLAIM.total_seconds())
    retry(tickets, ticket_id)
    with transaction() as db:
        claimed(db, tickets)
        settle_claim(db, old, Failed(says="too late"), now=tickets.now)

    assert tickets.errand(ticket_id).state is ErrandState.SENDING
