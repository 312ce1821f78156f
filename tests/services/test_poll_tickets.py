"""Tickets here follow Autotask, and nothing is believed that is not proven."""

from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import insert, select

from shared.domain.ticket import ErrandState, TicketSource
from shared.domain.ticketing import RemoteTicket
from shared.models.jobs import JobRun
from shared.models.tickets import Ticket, TicketRun
from shared.services.poll_tickets import poll_tickets
from shared.services.settle_errand import cancel_errand
from shared.services.ticketing_state import LEASE, take_poll
from tests.builders import make_user
from tests.fake_autotask import Effect, Fault
from tests.services.ticket_world import TicketWorld

SOLVED = 21  # a status that this tenant made for itself


def test_a_ticket_that_is_closed_over_there_is_resolved_here_once(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    run = tickets.run(job_id)
    ticket_id = tickets.made(run.id)
    closed_at = tickets.later(hours=1)
    tickets.fake.close_ticket(tickets.remote(ticket_id))
    tickets.later(minutes=15)

    first = tickets.poll()
    tickets.later(minutes=15)
    second = tickets.poll()

    ticket = tickets.stored(ticket_id)
    assert (first["resolved"], second) == (1, {"polled": 1, "unseen": 0, "deleted": 0})
    assert (ticket.resolved_at, ticket.resolved_by) == (closed_at, None)
    assert tickets.acts(ticket_id) == ["ticket.made", "ticket.numbered", "ticket.resolved"]


def test_resolved_at_noon_it_stays_with_the_run_of_eleven_and_does_not_reach_that_of_one(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    tickets.now = tickets.now.replace(hour=11)
    eleven = tickets.run(job_id)
    ticket_id = tickets.made(eleven.id)
    tickets.later(hours=1)
    tickets.fake.close_ticket(tickets.remote(ticket_id))
    tickets.poll()
    tickets.later(hours=1)

    one = tickets.run(job_id)

    links = tickets.db.scalars(select(TicketRun.job_run_id).where(TicketRun.ticket_id == ticket_id)).all()
    assert (links, tickets.carried(one.id)) == ([eleven.id], (None, ""))
    assert tickets.carried(eleven.id)[0] == tickets.remote(ticket_id)


def test_a_status_of_their_own_counts_as_closed_only_where_the_settings_say_so(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.fake.edit_ticket(tickets.remote(ticket_id), status=SOLVED)
    tickets.later(minutes=15)
    tickets.poll()
    assert tickets.stored(ticket_id).resolved_at is None

    tickets.set(closed_status_ids=[str(SOLVED)])
    now = tickets.later(minutes=15)
    tickets.poll()

    assert tickets.stored(ticket_id).resolved_at == now


def test_a_merged_ticket_is_resolved_and_not_deleted(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.fake.merge_tickets(tickets.remote(ticket_id), tickets.fake.add_ticket())
    tickets.later(minutes=15)

    tickets.poll()

    ticket = tickets.stored(ticket_id)
    assert (ticket.resolved_at is not None, ticket.deleted_at) == (True, None)


def test_a_ticket_that_is_taken_up_again_over_there_reaches_only_runs_from_then_on(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    ticket_id = tickets.made(tickets.run(job_id).id)
    tickets.fake.close_ticket(tickets.remote(ticket_id))
    tickets.later(minutes=15)
    tickets.poll()
    between = tickets.run(job_id)
    tickets.fake.edit_ticket(tickets.remote(ticket_id), status=8)
    tickets.later(minutes=15)

    tickets.poll()
    after = tickets.run(job_id)

    assert tickets.acts(ticket_id)[-2:] == ["ticket.resolved", "ticket.reopened"]
    assert tickets.stored(ticket_id).resolved_at is None
    assert (tickets.carried(between.id)[0], tickets.carried(after.id)[0]) == (None, tickets.remote(ticket_id))


def test_a_ticket_that_was_resolved_long_ago_is_not_looked_at_any_more(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.fake.close_ticket(tickets.remote(ticket_id))
    tickets.later(minutes=15)
    tickets.poll()
    tickets.later(days=15)

    assert tickets.poll() == {"polled": 0, "unseen": 0, "deleted": 0}


def test_what_is_resolved_here_is_not_undone_by_a_poll_before_the_word_arrived(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.later(minutes=5)
    tickets.resolve(ticket_id)
    tickets.later(minutes=5)
    tickets.poll()
    assert tickets.stored(ticket_id).resolved_at is not None

    tickets.send()
    tickets.later(minutes=5)
    tickets.poll()

    assert tickets.stored(ticket_id).resolved_at is not None
    assert tickets.fake.tickets[0]["status"] == 5


def test_a_word_that_is_given_up_lets_the_ticket_be_as_it_is_over_there(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.later(minutes=5)
    tickets.resolve(ticket_id)
    cancel_errand(tickets.db, tickets.errands(ticket_id)[-1].id, actor=make_user(tickets.db), now=tickets.now)
    tickets.db.commit()
    tickets.later(minutes=5)

    tickets.poll()

    assert tickets.stored(ticket_id).resolved_at is None


def test_an_answer_that_was_given_before_the_word_arrived_does_not_count(tickets: TicketWorld) -> None:
    """The poll asks, meanwhile the ticket is resolved here and there, and then the poll writes down what it heard."""
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.later(minutes=5)

    def resolved() -> None:
        tickets.later(seconds=5)
        tickets.resolve(ticket_id)
        tickets.send()

    poll_and_meanwhile(tickets, resolved)

    assert tickets.stored(ticket_id).resolved_at is not None


def test_a_number_that_was_not_to_be_read_at_first_is_filled_in(tickets: TicketWorld) -> None:
    run = tickets.run(tickets.job())
    ticket_id = tickets.ticket(run.id)
    tickets.fake.plan(Fault.of(500, "No matching records found", on=r"Tickets/\d+$"))
    tickets.send()
    assert (tickets.stored(ticket_id).ticket_code, tickets.remote(ticket_id)) != (None, "None")
    assert tickets.stored(ticket_id).ticket_code is None
    tickets.later(minutes=15)

    tickets.poll()

    number = tickets.fake.tickets[0]["ticketNumber"]
    assert (tickets.stored(ticket_id).ticket_code, tickets.carried(run.id)[1]) == (number, number)


def test_a_proven_deletion_marks_the_ticket_and_every_run_that_carries_it(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    runs = [tickets.run(job_id)]
    ticket_id = tickets.made(runs[0].id)
    tickets.later(days=1)
    runs.append(tickets.run(job_id))
    tickets.resolve(ticket_id)
    gone_at = tickets.later(hours=1)
    tickets.fake.delete_ticket(tickets.remote(ticket_id))
    tickets.later(minutes=15)

    tickets.poll()
    later = tickets.run(job_id)

    marks = tickets.db.scalars(
        select(JobRun.autotask_ticket_deleted_at).where(JobRun.id.in_([run.id for run in runs]))
    ).all()
    assert (tickets.stored(ticket_id).deleted_at, marks) == (gone_at, [gone_at] * 2)
    assert tickets.carried(later.id) == (None, "")
    assert tickets.errands(ticket_id)[-1].state is ErrandState.CANCELLED
    assert tickets.acts(ticket_id)[-1] == "ticket.deleted"


@pytest.mark.parametrize("may_read_the_log", [True, False])
def test_a_hidden_ticket_is_never_deleted(tickets: TicketWorld, *, may_read_the_log: bool) -> None:
    job_id = tickets.job()
    ticket_id = tickets.made(tickets.run(job_id).id)
    tickets.fake.hide(tickets.remote(ticket_id))
    tickets.fake.user.may_read_deletions = may_read_the_log

    for _ in range(40):
        tickets.later(days=1)
        tickets.poll()

    ticket = tickets.stored(ticket_id)
    assert (ticket.deleted_at, ticket.resolved_at, ticket.misses) == (None, None, 40)
    assert tickets.carried(tickets.run(job_id).id)[0] == ticket.remote_id


def test_a_ticket_that_is_to_be_seen_again_has_missed_nothing(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.fake.hide(tickets.remote(ticket_id))
    tickets.later(minutes=15)
    tickets.poll()
    tickets.fake.hide()
    now = tickets.later(minutes=15)

    tickets.poll()

    ticket = tickets.stored(ticket_id)
    assert (ticket.misses, ticket.remote_seen_at) == (0, now)


def test_when_most_tickets_vanish_at_once_nothing_is_changed_and_somebody_is_told(tickets: TicketWorld) -> None:
    ids = tickets.tickets(20)
    remotes = [tickets.remote(each) for each in ids]
    tickets.later(minutes=15)
    tickets.poll()
    tickets.fake.hide(*remotes[:12])
    tickets.fake.close_ticket(remotes[19])
    before = _facts(tickets)
    tickets.later(minutes=15)

    counts = tickets.poll()

    assert (counts, _facts(tickets)) == ({"given_up": 1}, before)
    assert (tickets.state().vanished, "12 of 20 tickets" in tickets.state().poll_error) == (12, True)
    assert tickets.fake.calls_to("DeletedTicketLogs/query") == []


def test_nobody_polls_again_at_once_after_that_unless_a_person_says_that_it_is_so(tickets: TicketWorld) -> None:
    ids = tickets.tickets(20)
    tickets.fake.hide(*(tickets.remote(each) for each in ids[:12]))
    tickets.later(minutes=15)
    tickets.poll()
    tickets.later(minutes=5)

    by_itself, by_a_person = tickets.poll(), tickets.poll(anyway=True)

    assert (by_itself, by_a_person) == ({}, {"polled": 20, "unseen": 12, "deleted": 0})
    assert (tickets.state().vanished, tickets.state().poll_error) == (0, "")
    tickets.later(minutes=15)
    assert tickets.poll()["unseen"] == 12  # which is no news any more


@pytest.mark.parametrize(
    "fault",
    [
        Fault(effect=Effect.HALF, on="Tickets/query$", skip=1, times=None),
        Fault(effect=Effect.HTML, on="Tickets/query$", skip=1, times=None),
        Fault(effect=Effect.CUT, on="Tickets/query$", skip=1, times=None),
        Fault.of(503, on="Tickets/query$", times=None).at("Tickets/query$", skip=1, times=None),
    ],
)
def test_of_half_an_answer_nothing_is_applied(tickets: TicketWorld, fault: Fault) -> None:
    """The first page is good and says that a ticket is closed; the second one breaks off."""
    many(tickets, 201)
    remotes = [str(row["id"]) for row in tickets.fake.tickets]
    tickets.fake.close_ticket(remotes[0])
    before = _facts(tickets)
    tickets.fake.plan(fault)

    counts = tickets.poll()

    assert (counts, _facts(tickets)) == ({"given_up": 1}, before)
    assert tickets.state().poll_error != ""
    assert tickets.state().polled_at is None


def test_refreshing_two_thousand_tickets_costs_ten_calls_and_one_for_each_proof(tickets: TicketWorld) -> None:
    many(tickets, 2_000)
    remotes = [str(row["id"]) for row in tickets.fake.tickets]
    before = len(tickets.fake.signed_calls)

    tickets.poll()
    ten = len(tickets.fake.signed_calls) - before
    for remote_id in remotes[:3]:
        tickets.fake.delete_ticket(remote_id)
    tickets.later(minutes=15)
    tickets.poll()
    with_proofs = len(tickets.fake.signed_calls) - before - ten

    asked = [call.body["filter"][0]["value"] for call in tickets.fake.calls_to("Tickets/query")]
    assert (ten, with_proofs) == (10, 10 + 1 + 3)
    assert max(len(each) for each in asked) == 200
    assert _count(tickets, Ticket.deleted_at.is_not(None)) == 3


def test_one_poll_at_a_time(tickets: TicketWorld) -> None:
    tickets.made(tickets.run(tickets.job()).id)
    take_poll(tickets.db, now=tickets.now)
    tickets.db.commit()

    assert tickets.poll() == {}
    tickets.later(seconds=LEASE.total_seconds())
    assert tickets.poll()["polled"] == 1


def test_a_poll_that_lost_its_turn_writes_nothing(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.fake.close_ticket(tickets.remote(ticket_id))
    tickets.later(minutes=5)

    def taken_over() -> None:
        tickets.later(minutes=11)
        take_poll(tickets.db, now=tickets.now)
        tickets.db.commit()

    counts = poll_and_meanwhile(tickets, taken_over)

    assert (counts, tickets.stored(ticket_id).resolved_at) == ({}, None)


def many(world: TicketWorld, number: int) -> None:
    """Let there be many tickets, here and there, that are alike."""
    customer_id = world.customer(f"Customer of {number}")
    rows = []
    for _ in range(number):
        remote_id = world.fake.add_ticket()
        code = world.fake.world.tickets[int(remote_id)]["ticketNumber"]
        rows.append(
            {
                "customer_id": customer_id, "source": TicketSource.AUTOTASK, "ticket_code": code,
                "active_from_date": world.now.date(), "start_date": world.now, "remote_id": remote_id,
                "remote_status_id": "1",
            }
        )  # fmt: skip
    world.db.execute(insert(Ticket), rows)
    world.db.commit()
    world.later(minutes=1)


def poll_and_meanwhile(world: TicketWorld, something: Callable[[], None]) -> dict[str, int]:
    """Let something happen after Autotask answered and before the answer is written down."""
    with world.provider() as psa:
        ask = psa.tickets

        def ask_slowly(ids: Sequence[str]) -> list[RemoteTicket]:
            answer = ask(ids)
            something()
            world.later(seconds=5)
            return answer

        psa.tickets = ask_slowly  # type: ignore[method-assign]
        return poll_tickets(psa, clock=world.clock)


def _facts(world: TicketWorld) -> list[tuple[object, ...]]:
    columns = (Ticket.id, Ticket.resolved_at, Ticket.deleted_at, Ticket.misses, Ticket.remote_seen_at)
    return [tuple(row) for row in world.db.execute(select(*columns).order_by(Ticket.id))]


def _count(world: TicketWorld, *which: object) -> int:
    return len(world.db.scalars(select(Ticket.id).where(*which)).all())  # type: ignore[arg-type]
