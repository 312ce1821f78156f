"""What is made is made once, whatever becomes of the answer."""

import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.clients.autotask import AutotaskTickets
from shared.clients.autotask_breaker import InMemoryBreaker
from shared.clients.autotask_line import SETTLES_IN
from shared.clients.autotask_tickets import Conventions
from shared.clients.autotask_wire import CallRecord
from shared.clients.errors import InvalidData, OutcomeUnknown, Refused, Unavailable, Upstream
from shared.clients.patience import Patience
from shared.domain.ticketing import NoteDraft, TicketDraft, TicketState, new_key, new_note_key
from tests.clients.conftest import NOON, way_to
from tests.fake_autotask import Effect, FakeAutotask, Fault

CREATE = {"on": "Tickets$", "method": "POST"}
NOTE = {"on": "Notes$", "method": "POST"}
LOST = Fault(effect=Effect.LOST)
TROUBLE = [
    *[Fault(effect=each) for each in (Effect.LOST, Effect.CUT, Effect.HALF, Effect.CLOSE, Effect.HTML, Effect.LATE)],
    *[Fault.of(status) for status in (429, 500, 502, 503)],
    Fault.of(500, "Transaction was deadlocked"),
    Fault.threads(),
    Fault(effect=Effect.ERRORS, says=("A rule failed.",)),
]

Drafted = Callable[..., TicketDraft]


@pytest.fixture
def drafted(tenant: FakeAutotask) -> Drafted:
    def make(**changed: Any) -> TicketDraft:
        facts = {
            "key": new_key(), "company_id": tenant.add_company("Aspen Dental"), "title": "Backup failed: SRV-01",
            "description": "Disk full", "due_at": NOON + timedelta(days=1), "status_id": "1", "priority_id": "2",
            "queue_id": "29682833",
        }  # fmt: skip
        return TicketDraft(**(facts | changed))

    return make


def test_a_new_ticket_comes_back_with_its_number(tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted) -> None:
    draft = drafted(source_id="8", issue_type_id="11", sub_issue_type_id="111")

    ticket = psa.create(draft)

    [row] = tenant.tickets
    assert (ticket.id, ticket.number, ticket.key) == (str(row["id"]), row["ticketNumber"], draft.key)
    assert (ticket.state, ticket.company_id) == (TicketState.OPEN, draft.company_id)
    assert (row["description"], row["dueDateTime"]) == ("Disk full", "2026-03-03T12:00:00.000Z")
    assert (row["source"], row["issueType"], row["subIssueType"]) == (8, 11, 111)


def test_what_is_not_given_is_not_sent(tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted) -> None:
    psa.create(drafted())

    [call] = tenant.calls_to("Tickets", method="POST")
    assert None not in call.body.values()
    assert "issueType" not in call.body


@pytest.mark.parametrize("effect", [Effect.LOST, Effect.CUT, Effect.HALF])
def test_a_ticket_whose_answer_is_lost_is_found_by_its_key(
    tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted, naps: list[float], effect: Effect
) -> None:
    tenant.plan(replace(LOST, effect=effect, **CREATE))
    draft = drafted()

    ticket = psa.create(draft)

    [row] = tenant.tickets
    assert (ticket.id, ticket.key) == (str(row["id"]), draft.key)
    assert naps == [2]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_ticket_that_is_made_and_answered_as_a_fault_is_found_too(
    tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted, status: int
) -> None:
    tenant.plan(replace(LOST, effect=Effect.LATE, status=status, **CREATE))

    psa.create(drafted())

    assert len(tenant.tickets) == len(tenant.calls_to("Tickets", method="POST")) == 1


def test_errors_beside_success_make_no_second_ticket(
    tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted
) -> None:
    tenant.plan(replace(LOST, effect=Effect.ERRORS, says=("A rule failed.",), **CREATE))

    assert psa.create(drafted()).id == str(tenant.tickets[0]["id"])
    assert len(tenant.tickets) == 1


def test_a_hundred_lost_answers_make_a_hundred_tickets(
    tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted
) -> None:
    tenant.plan(replace(LOST, times=100, **CREATE))
    drafts = [drafted() for _ in range(100)]

    made = [psa.create(draft) for draft in drafts]

    assert [ticket.key for ticket in made] == [draft.key for draft in drafts]
    assert len(tenant.tickets) == len({row["externalID"] for row in tenant.tickets}) == 100


@pytest.mark.parametrize("seed", range(3))
def test_whatever_goes_wrong_each_draft_becomes_one_ticket(
    tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted, seed: int
) -> None:
    """Attempt after attempt, as an outbox would: the first may not exist yet, any later one may."""
    chance = random.Random(seed)
    drafts = [drafted() for _ in range(30)]

    for draft in drafts:
        made, may_exist = None, False
        while made is None:
            tenant.faults.clear()
            tenant.plan(*[replace(chance.choice(TROUBLE), skip=chance.randrange(3)) for _ in range(3)])
            with suppress(Upstream):
                made = psa.create(draft, may_exist=may_exist)
            may_exist = True
        assert made.key == draft.key

    assert sorted(row["externalID"] for row in tenant.tickets) == sorted(draft.key for draft in drafts)


def test_what_did_not_arrive_stays_unknown_and_is_made_by_a_later_attempt(
    tenant: FakeAutotask, drafted: Drafted, naps: list[float], breaker: InMemoryBreaker, records: list[CallRecord]
) -> None:
    hurried = Patience(read=timedelta(seconds=0.2))
    draft = drafted()
    tenant.plan(Fault(effect=Effect.HANG, seconds=1, **CREATE))

    with way_to(tenant.url, naps, breaker, records, patience=hurried) as line, pytest.raises(OutcomeUnknown) as raised:
        AutotaskTickets(line, Conventions()).create(draft)

    assert raised.value.settles_in == SETTLES_IN
    assert (naps, tenant.tickets) == ([2, 3, 5], [])
    assert len(tenant.calls_to("Tickets/query")) == 3

    with way_to(tenant.url, naps, breaker, records) as line:
        ticket = AutotaskTickets(line, Conventions()).create(draft, may_exist=True)

    assert [row["externalID"] for row in tenant.tickets] == [ticket.key] == [draft.key]


def test_a_later_attempt_adopts_what_came_through_meanwhile(
    tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted
) -> None:
    draft = drafted()
    made = tenant.add_ticket(externalID=draft.key, companyID=0)  # and was moved to another company since

    assert psa.create(draft, may_exist=True).id == made
    assert tenant.calls_to("Tickets", method="POST") == []


def test_a_later_attempt_that_can_not_look_does_not_send(
    tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted
) -> None:
    tenant.plan(Fault.of(503, on="query", times=None))

    with pytest.raises(Unavailable):
        psa.create(drafted(), may_exist=True)

    assert tenant.calls_to("Tickets", method="POST") == []


def test_a_refused_ticket_is_not_sent_again_and_the_reasons_are_shown(
    tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted, naps: list[float]
) -> None:
    with pytest.raises(InvalidData) as raised:
        psa.create(drafted(priority_id="99"))

    assert "Picklist value [99] does not exist for priority." in raised.value.says
    assert raised.value.reference_is_stale
    assert (naps, len(tenant.calls_to("Tickets", method="POST"))) == ([], 1)


@pytest.mark.parametrize("fault", [Fault.throttle("5").at(**CREATE), Fault.threads(500).at(**CREATE)])
def test_a_ticket_that_was_turned_away_is_sent_again(
    tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted, naps: list[float], fault: Fault
) -> None:
    tenant.plan(fault)

    psa.create(drafted())

    assert len(tenant.tickets) == 1
    assert len(naps) == 1
    assert 0.7 < naps[0] <= 5


def test_a_deadlock_is_no_reason_to_send_again(tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted) -> None:
    tenant.plan(Fault.of(500, "Transaction was deadlocked, try again", **CREATE))

    with pytest.raises(OutcomeUnknown):
        psa.create(drafted())

    assert len(tenant.calls_to("Tickets", method="POST")) == 1


def test_a_ticket_that_can_not_be_read_back_is_made_all_the_same(
    tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted
) -> None:
    tenant.user.sees = lambda row: False
    draft = drafted()

    ticket = psa.create(draft)

    assert (ticket.id, ticket.number, ticket.key) == (str(tenant.tickets[0]["id"]), "", draft.key)
    assert (ticket.company_id, ticket.state) == (draft.company_id, TicketState.OPEN)


def test_of_two_tickets_with_one_key_the_older_counts_and_somebody_is_told(
    tenant: FakeAutotask, psa: AutotaskTickets, caplog: pytest.LogCaptureFixture
) -> None:
    first, _second = tenant.add_ticket(externalID="bck-1"), tenant.add_ticket(externalID="bck-1")

    found = psa.find("bck-1")

    assert found is not None
    assert found.id == first
    assert "several tickets have the same key" in caplog.text


def test_long_texts_are_cut_where_autotask_ends(tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted) -> None:
    psa.create(drafted(title="🔴" * 200, description="é" * 9_000))

    [row] = tenant.tickets
    assert row["title"] == "🔴" * 127 + "…"
    assert row["description"] == "é" * 7_999 + "…"


@pytest.mark.parametrize("key", ["", "x" * 51])
def test_nothing_is_made_without_a_key(tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted, key: str) -> None:
    with pytest.raises(Refused):
        psa.create(drafted(key=key))
    assert tenant.tickets == []


def test_what_is_made_goes_over_a_connection_of_its_own(
    tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted
) -> None:
    """A connection that was kept may be dead, and then nobody knows whether the ticket was made."""
    psa.companies(["1"])
    psa.create(drafted())
    psa.companies(["1"])

    ports = [call.port for call in tenant.calls if call.path != "ZoneInformation"]
    kept, making, reading_back, again = ports
    assert kept == reading_back == again != making


def test_a_due_moment_is_sent_in_universal_time(tenant: FakeAutotask, psa: AutotaskTickets, drafted: Drafted) -> None:
    psa.create(drafted(due_at=datetime(2026, 3, 3, 1, 2, 3, 456_789, tzinfo=UTC)))

    assert tenant.tickets[0]["dueDateTime"] == "2026-03-03T01:02:03.456Z"


def noted(text: str = "Failed again, another object.") -> NoteDraft:
    return NoteDraft(key=new_note_key(), title="Still failing", text=text)


def test_a_note_is_added_to_its_ticket(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id, note = tenant.add_ticket(), noted()

    note_id = psa.add_note(ticket_id, note)

    [row] = tenant.notes
    assert (str(row["id"]), str(row["ticketID"])) == (note_id, ticket_id)
    assert (row["title"], row["description"]) == (f"Still failing [{note.key}]", note.text)
    assert (row["noteType"], row["publish"]) == (3, 1)


def test_a_note_whose_answer_is_lost_is_not_added_twice(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id, note = tenant.add_ticket(), noted()
    tenant.plan(replace(LOST, **NOTE))

    with pytest.raises(OutcomeUnknown):
        psa.add_note(ticket_id, note)

    assert psa.add_note(ticket_id, note, may_exist=True) == str(tenant.notes[0]["id"])
    assert len(tenant.notes) == 1


def test_a_note_that_did_not_arrive_is_added_later(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id, note = tenant.add_ticket(), noted()
    tenant.plan(Fault(effect=Effect.CLOSE, **NOTE))

    with pytest.raises(OutcomeUnknown):
        psa.add_note(ticket_id, note)
    psa.add_note(ticket_id, note, may_exist=True)

    assert len(tenant.notes) == 1


def test_a_note_changes_nothing_of_the_ticket_itself(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket(description="<b>Rich</b>")

    psa.add_note(ticket_id, noted("x" * 40_000))

    assert tenant.tickets[0]["_rich"] == "<b>Rich</b>"
    assert len(tenant.notes[0]["description"]) == 32_000
