"""What is decided here is done at Autotask, once, whatever becomes of an answer or a worker."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from shared.clients.autotask_line import SETTLES_IN
from shared.domain.errand_course import CLAIM
from shared.domain.status import Status
from shared.domain.ticket import ErrandKind, ErrandState, MappingState
from shared.domain.ticketing import Pace
from shared.models.customers import Customer
from shared.models.jobs import JobRun
from shared.models.system import SystemSettings
from shared.models.ticketing import Errand, TicketingState
from shared.models.tickets import Ticket
from shared.services.add_errand import add_errand
from shared.services.audit import SYSTEM
from shared.services.claim_errands import claim_errand
from shared.services.record_run import record_missed_run
from tests.builders import make_user
from tests.fake_autotask import Effect, Fault
from tests.services.ticket_world import HIGH, MEDIUM, PUBLIC, QUEUE, TicketWorld

CREATE = {"on": "Tickets$", "method": "POST"}


def test_a_ticket_is_made_with_its_words_and_the_defaults_of_its_worst_run(tickets: TicketWorld) -> None:
    customer_id = tickets.customer()
    worse, milder = (tickets.job(name, customer_id) for name in ("Nightly", "Weekly"))
    runs = [tickets.run(worse, objects=["SRV-01"]), tickets.run(milder, Status.WARNING)]
    actor = make_user(tickets.db)
    tickets.db.commit()

    ticket_id = tickets.made(*(run.id for run in runs), title="Nightly fails", description="", actor=actor)

    [row] = tickets.fake.tickets
    ticket, errand = tickets.stored(ticket_id), tickets.errand(ticket_id)
    assert (row["title"], row["queueID"], row["priority"], row["status"]) == ("Nightly fails", int(QUEUE), int(HIGH), 1)
    assert row["description"].startswith("Nightly (Veeam")
    assert row["description"].endswith(f"{PUBLIC}/jobs/{worse}")
    assert row["externalID"] == errand.key
    assert (ticket.ticket_code, ticket.remote_id) == (row["ticketNumber"], str(row["id"]))
    assert ticket.description == row["description"]
    assert (errand.state, errand.attempts, errand.done_at) == (ErrandState.DONE, 1, tickets.now)
    for run in runs:
        stored = tickets.db.get_one(JobRun, run.id, populate_existing=True)
        assert (stored.autotask_ticket_id, stored.autotask_ticket_number) == (ticket.remote_id, ticket.ticket_code)
        assert stored.autotask_ticket_created_by_user_id == actor.user_id


def test_what_a_person_typed_and_chose_goes_before_the_settings(tickets: TicketWorld) -> None:
    run = tickets.run(tickets.job())

    tickets.made(run.id, title="Look here", description="by hand", choices={"priority_id": "4", "source_id": "8"})

    [row] = tickets.fake.tickets
    assert (row["title"], row["description"], row["priority"], row["source"]) == ("Look here", "by hand", 4, 8)


def test_a_missed_run_has_its_own_priority(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    run_id = record_missed_run(tickets.db, job_id, slot_at=tickets.now, message="no report came")
    tickets.db.commit()
    assert run_id is not None

    tickets.made(run_id)

    assert tickets.fake.tickets[0]["priority"] == int(MEDIUM)


def test_a_run_that_comes_while_the_ticket_is_made_carries_it_too(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    ticket_id = tickets.ticket(tickets.run(job_id).id)
    tickets.later(hours=1)
    second = tickets.run(job_id)

    tickets.send()
    tickets.later(days=1)
    third = tickets.run(job_id)

    ticket = tickets.stored(ticket_id)
    assert [tickets.carried(run.id) for run in (second, third)] == [(ticket.remote_id, ticket.ticket_code)] * 2


@pytest.mark.parametrize("effect", [Effect.LOST, Effect.CUT, Effect.HALF])
def test_a_hundred_tickets_whose_answers_are_lost_are_a_hundred_tickets(tickets: TicketWorld, effect: Effect) -> None:
    number = 100 if effect is Effect.LOST else 10
    customer_id = tickets.customer()
    ids = [tickets.ticket(tickets.run(tickets.job(customer_id=customer_id)).id) for _ in range(number)]
    tickets.fake.plan(Fault(effect=effect, times=None, **CREATE))

    counts = tickets.send()

    assert counts == {"done": number}
    keys = [row["externalID"] for row in tickets.fake.tickets]
    assert (len(keys), len(set(keys))) == (number, number)
    assert {tickets.remote(each) for each in ids} == {str(row["id"]) for row in tickets.fake.tickets}


def test_workers_that_send_at_once_make_each_ticket_once(tickets: TicketWorld) -> None:
    customer_id = tickets.customer()
    ids = [tickets.ticket(tickets.run(tickets.job(customer_id=customer_id)).id) for _ in range(12)]

    with ThreadPoolExecutor(3) as workers:
        counts = list(workers.map(lambda _: tickets.send(), range(3)))

    assert sum(each.get("done", 0) for each in counts) == 12
    assert {tickets.remote(each) for each in ids} == {str(row["id"]) for row in tickets.fake.tickets}
    assert len(tickets.fake.tickets) == 12


def test_a_ticket_that_was_not_made_after_all_is_sent_again_under_its_key(tickets: TicketWorld) -> None:
    """Nobody knows whether the first request was worked on; so it rests until that is settled."""
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    tickets.fake.plan(Fault(effect=Effect.HANG, **CREATE))

    first = tickets.send()
    waiting = tickets.errand(ticket_id)
    assert (first, tickets.send()) == ({"again": 1}, {})
    assert (waiting.state, waiting.was_sent, waiting.due_at) == (ErrandState.WAITING, True, tickets.now + SETTLES_IN)
    tickets.later(seconds=SETTLES_IN.total_seconds())
    tickets.send()

    [row] = tickets.fake.tickets
    assert (row["externalID"], tickets.remote(ticket_id)) == (waiting.key, str(row["id"]))


def test_one_that_appears_late_is_adopted(tickets: TicketWorld) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    not_to_be_seen = Fault.of(503, on="Tickets/query$", times=None)
    tickets.fake.plan(Fault(effect=Effect.LOST, **CREATE), not_to_be_seen)
    tickets.send()
    tickets.fake.faults.clear()
    tickets.later(minutes=7)

    tickets.send()

    [row] = tickets.fake.tickets
    assert tickets.remote(ticket_id) == str(row["id"])


def test_a_worker_that_dies_over_an_errand_leaves_it_to_the_next_one(tickets: TicketWorld) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    claim = claim_errand(tickets.db, urgent_only=False, public_url=PUBLIC, now=tickets.now)
    tickets.db.commit()
    assert claim is not None
    assert claim.draft is not None
    with tickets.provider() as psa:
        psa.create(claim.draft)  # and then the lights go out

    assert tickets.send() == {}
    tickets.later(seconds=CLAIM.total_seconds())
    tickets.send()

    [row] = tickets.fake.tickets
    assert (tickets.remote(ticket_id), tickets.errand(ticket_id).attempts) == (str(row["id"]), 2)


def test_a_choice_that_is_gone_fails_in_words_and_the_choices_are_asked_for_anew(tickets: TicketWorld) -> None:
    tickets.set(priority_failed_id="99")
    tickets.db.execute(update(TicketingState).values(choices_at=tickets.now))
    tickets.db.commit()
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)

    counts = tickets.send()
    tickets.later(days=1)

    errand = tickets.errand(ticket_id)
    assert (counts, tickets.send()) == ({"failed": 1}, {})
    assert "Picklist value [99] does not exist for priority." in errand.last_error
    assert (errand.state, errand.was_sent, tickets.state().choices_at) == (ErrandState.FAILED, False, None)
    assert len(tickets.fake.calls_to("Tickets", method="POST")) == 1


@pytest.mark.parametrize(
    "state, says",
    [(None, "no company"), (MappingState.MISSING, "any more"), (MappingState.INVALID, "not active")],
)
def test_without_a_company_that_takes_tickets_nothing_is_sent(
    tickets: TicketWorld, state: MappingState | None, says: str
) -> None:
    customer_id = tickets.customer("Birch Logistics", state)
    ticket_id = tickets.ticket(tickets.run(tickets.job(customer_id=customer_id)).id)

    tickets.send()

    errand = tickets.errand(ticket_id)
    assert (errand.state, tickets.fake.signed_calls) == (ErrandState.FAILED, [])
    assert "Birch Logistics" in errand.last_error
    assert says in errand.last_error


def test_a_renamed_company_takes_tickets(tickets: TicketWorld) -> None:
    customer_id = tickets.customer("Birch Logistics", MappingState.RENAMED)

    tickets.made(tickets.run(tickets.job(customer_id=customer_id)).id)

    assert len(tickets.fake.tickets) == 1


def test_a_refused_sign_in_stops_everything_and_costs_no_attempts(tickets: TicketWorld) -> None:
    ids = [tickets.ticket(tickets.run(tickets.job()).id) for _ in range(3)]
    tickets.fake.user.secret = "else"

    tickets.send()
    refused = len(tickets.fake.signed_calls)
    tickets.later(hours=1)
    tickets.send()
    tickets.later(hours=1)
    tickets.poll()

    assert refused == len(tickets.fake.signed_calls) == 1
    assert tickets.state().breaker_opened_at is not None
    assert [(tickets.errand(each).state, tickets.errand(each).attempts) for each in ids] == [
        (ErrandState.WAITING, 0)
    ] * 3


@pytest.mark.parametrize(
    "fault",
    [Fault.of(503, on="ZoneInformation", times=None), Fault.throttle("600", on="Tickets$", times=None)],
)
def test_what_can_not_be_sent_for_now_waits_longer_each_time(tickets: TicketWorld, fault: Fault) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    tickets.fake.plan(fault)
    pauses = []
    for _ in range(3):
        tickets.send()
        pauses.append(tickets.errand(ticket_id).due_at - tickets.now)
        tickets.now = tickets.errand(ticket_id).due_at
    tickets.fake.faults.clear()
    tickets.send()

    assert pauses == sorted(pauses)
    assert len(tickets.fake.tickets) == 1


def test_of_a_tickets_errands_one_goes_after_the_other(tickets: TicketWorld) -> None:
    """It is resolved here before Autotask has made it: both words arrive, in their order."""
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    tickets.resolve(ticket_id, note="new disks")
    tickets.fake.plan(Fault(effect=Effect.HANG, **CREATE))

    tickets.send()
    assert [each.state for each in tickets.errands(ticket_id)] == [ErrandState.WAITING] * 2
    tickets.later(minutes=7)
    tickets.send()

    [row] = tickets.fake.tickets
    assert (row["status"], row["resolution"]) == (5, "Resolved in Backupchecks: new disks")
    assert [each.state for each in tickets.errands(ticket_id)] == [ErrandState.DONE] * 2


def test_resolving_leaves_the_description_and_everything_else_alone(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.fake.edit_ticket(
        tickets.remote(ticket_id), description="<b>bold</b> words", issueType=11, resolution="so far"
    )
    before = tickets.fake.tickets[0] | {}

    tickets.resolve(ticket_id)
    tickets.send()

    after = tickets.fake.tickets[0]
    changed = {name for name, value in after.items() if value != before[name]}
    assert changed <= {
        "status", "resolution", "completedDate", "completedByResourceID", "lastActivityDate",
        "lastTrackedModificationDateTime",
    }  # fmt: skip
    assert (after["_rich"], after["resolution"]) == ("<b>bold</b> words", "so far\n\nResolved in Backupchecks.")


def test_a_note_whose_answer_is_lost_is_added_once(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    add_errand(tickets.db, ErrandKind.NOTE, ticket_id, {"title": "News", "text": "more"}, actor=SYSTEM, now=tickets.now)
    tickets.db.commit()
    tickets.fake.plan(Fault(effect=Effect.LOST, on="Notes$", method="POST"))

    tickets.send()
    tickets.later(minutes=7)
    tickets.send()

    assert [note["description"] for note in tickets.fake.notes] == ["more"]
    assert tickets.errands(ticket_id)[-1].state is ErrandState.DONE


def test_near_the_hours_limit_only_what_somebody_waits_for_is_sent(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    add_errand(tickets.db, ErrandKind.NOTE, ticket_id, {"title": "N", "text": "n"}, actor=SYSTEM, now=tickets.now)
    tickets.db.commit()
    tickets.ticket(tickets.run(tickets.job()).id)

    tickets.send(Pace.PAUSED)

    assert (len(tickets.fake.tickets), tickets.fake.notes) == (2, [])


@pytest.mark.parametrize("note_is", [ErrandState.WAITING, ErrandState.SENDING])
def test_near_the_hours_limit_what_somebody_waits_for_passes_by(tickets: TicketWorld, note_is: ErrandState) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    note = add_errand(
        tickets.db, ErrandKind.NOTE, ticket_id, {"title": "N", "text": "n"}, actor=SYSTEM, now=tickets.now
    )
    tickets.db.execute(update(Errand).where(Errand.id == note).values(state=note_is))
    tickets.db.commit()
    tickets.resolve(ticket_id)

    assert tickets.send(Pace.PAUSED) == {"done": 1}
    assert (tickets.fake.tickets[0]["status"], tickets.fake.notes) == (5, [])
    assert (tickets.send(), len(tickets.fake.notes)) == ({"done": 1}, 1)


def test_a_sandbox_that_is_switched_on_stops_it_at_the_next_errand(tickets: TicketWorld) -> None:
    for _ in range(3):
        tickets.ticket(tickets.run(tickets.job()).id)

    def switch_on(_: object) -> None:
        tickets.db.execute(update(SystemSettings).values(is_sandbox=True))
        tickets.db.commit()

    tickets.fake.plan(Fault(effect=Effect.THEN, after=switch_on, **CREATE))
    counts = tickets.send()

    assert (counts, len(tickets.fake.tickets)) == ({"done": 1}, 1)
    assert [each.state for each in tickets.errands()].count(ErrandState.WAITING) == 2


def test_a_code_that_somebody_typed_before_hinders_nothing(tickets: TicketWorld) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)
    typed = tickets.stored(tickets.made(tickets.run(tickets.job()).id))
    tickets.db.execute(update(Ticket).where(Ticket.id == typed.id).values(ticket_code="T20260303.0003"))
    tickets.db.commit()
    other = tickets.ticket(tickets.run(tickets.job()).id)

    tickets.send()

    assert tickets.stored(other).ticket_code == f"T20260303.0003 ({tickets.remote(other)})"
    assert tickets.stored(ticket_id).ticket_code == "T20260303.0001"


def test_nothing_of_a_ticket_stands_in_the_flight_recorder(tickets: TicketWorld) -> None:
    from shared.models.ticketing import TicketingCall

    tickets.made(tickets.run(tickets.job()).id, title="Aspen Dental is down", description="disk full")

    calls = tickets.db.scalars(select(TicketingCall)).all()
    told = " ".join(f"{call.method} {call.path} {call.status} {call.error}" for call in calls)
    assert "POST Tickets 200" in told
    assert not any(word in told for word in ("Aspen", "disk", "?", "synthetic", "msp.example"))


def test_the_errand_of_a_customer_who_was_deleted_meanwhile_ends_quietly(tickets: TicketWorld) -> None:
    customer_id = tickets.customer()
    tickets.ticket(tickets.run(tickets.job(customer_id=customer_id)).id)
    claim = claim_errand(tickets.db, urgent_only=False, public_url=PUBLIC, now=tickets.now)
    tickets.db.commit()
    tickets.db.execute(Customer.__table__.delete().where(Customer.__table__.c.id == customer_id))
    tickets.db.commit()

    tickets.later(seconds=(CLAIM + timedelta(minutes=1)).total_seconds())

    assert (claim is not None, tickets.send(), tickets.db.scalars(select(Errand)).all()) == (True, {}, [])
