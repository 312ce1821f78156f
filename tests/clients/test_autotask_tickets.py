"""Tickets are found, followed, changed and proven gone."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from shared.clients.autotask import AutotaskTickets
from shared.clients.autotask_line import AutotaskLine
from shared.clients.autotask_tickets import Conventions
from shared.clients.errors import InvalidData, NotFound, Refused
from shared.domain.ticketing import TicketChange, TicketState
from tests.clients.conftest import NOON
from tests.fake_autotask import Effect, FakeAutotask, Fault

RICH = "<p>What the <b>technician</b> found <img src='cid:1'></p>"


def test_a_ticket_is_found_by_id_number_and_key(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    company = tenant.add_company("Aspen Dental")
    ticket_id = tenant.add_ticket(companyID=int(company), externalID="bck-1", title="Failed", status=8)

    ticket = psa.ticket(ticket_id)

    assert (ticket.id, ticket.company_id, ticket.title, ticket.status_id) == (ticket_id, company, "Failed", "8")
    assert (ticket.state, ticket.completed_at) == (TicketState.OPEN, None)
    assert psa.ticket_by_number(ticket.number.lower()) == psa.find("bck-1") == psa.tickets([ticket_id])[0] == ticket


def test_who_looks_for_a_ticket_that_is_not_there_is_told(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    tenant.add_ticket()

    with pytest.raises(NotFound):
        psa.ticket("999")
    with pytest.raises(NotFound):
        psa.ticket_by_number("T20260101.0001")
    assert psa.find("bck-unknown") is None
    assert psa.tickets(["999"]) == []


def test_hundreds_of_tickets_are_followed_with_few_calls(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ids = [tenant.add_ticket() for _ in range(501)]

    assert [ticket.id for ticket in psa.tickets([*ids, ids[0]])] == ids
    queries = tenant.calls_to("Tickets/query")
    assert [len(call.body["filter"][0]["value"]) for call in queries] == [200, 200, 101]


def test_following_tickets_asks_for_no_long_text(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    psa.tickets([tenant.add_ticket()])

    [query] = tenant.calls_to("Tickets/query")
    assert not {"description", "resolution"} & set(query.body["IncludeFields"])


def test_a_closed_ticket_is_resolved_when_it_was_completed(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket()
    tenant.close_ticket(ticket_id)

    [ticket] = psa.tickets([ticket_id])

    assert (ticket.state, ticket.completed_at) == (TicketState.RESOLVED, NOON)
    assert psa.tickets([ticket_id]) == [ticket]


def test_a_status_of_the_tenant_is_closed_when_its_administrator_says_so(
    tenant: FakeAutotask, way: AutotaskLine
) -> None:
    ticket_id = tenant.add_ticket(status=21)

    with_it = AutotaskTickets(way, Conventions(closed=frozenset({"21"})))

    assert AutotaskTickets(way, Conventions()).ticket(ticket_id).state is TicketState.OPEN
    assert with_it.ticket(ticket_id).state is TicketState.RESOLVED
    tenant.close_ticket(ticket_id)
    assert with_it.ticket(ticket_id).state is TicketState.RESOLVED


def test_a_merged_ticket_is_resolved_and_not_deleted(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    source, target = tenant.add_ticket(), tenant.add_ticket()
    tenant.merge_tickets(source, target)

    assert [ticket.state for ticket in psa.tickets([source, target])] == [TicketState.RESOLVED, TicketState.OPEN]
    assert psa.proven_deleted([source]) == []


def test_a_deletion_is_proven_by_the_log_and_the_empty_place(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    gone, number = tenant.add_ticket(), tenant.tickets[0]["ticketNumber"]
    tenant.delete_ticket(gone)

    [proof] = psa.proven_deleted([gone])

    assert (proof.ticket_id, proof.number, proof.deleted_at) == (gone, number, NOON)
    assert proof.deleted_by_id == "29683007"


def test_a_hidden_ticket_is_never_proven_deleted(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    hidden = tenant.add_ticket()
    tenant.hide(hidden)

    assert psa.tickets([hidden]) == []
    assert psa.proven_deleted([hidden]) == []


def test_a_ticket_that_is_back_is_not_deleted_whatever_the_log_says(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket()
    row = tenant.tickets[0]
    tenant.delete_ticket(ticket_id)
    tenant.world.tickets[int(ticket_id)] = row

    assert psa.proven_deleted([ticket_id]) == []


def test_who_may_not_read_the_log_proves_nothing(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    gone = tenant.add_ticket()
    tenant.delete_ticket(gone)
    tenant.user.may_read_deletions = False

    assert psa.proven_deleted([gone]) == []


def test_proofs_cost_one_call_each_and_one_for_the_log(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    made = [tenant.add_ticket() for _ in range(5)]
    for each in made[:2]:
        tenant.delete_ticket(each)
    tenant.hide(*made[2:])

    assert {proof.ticket_id for proof in psa.proven_deleted(made)} == set(made[:2])
    assert len(tenant.signed_calls) == 3


def test_a_resolved_ticket_keeps_all_that_was_not_said(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket(issueType=11, source=8, userDefinedFields=[{"name": "Rack", "value": "7"}])
    tenant.edit_ticket(ticket_id, description=RICH)
    before = dict(tenant.tickets[0])

    ticket = psa.resolve(ticket_id, "2026-03-02 Backup works again.")

    after = tenant.tickets[0]
    assert (ticket.state, ticket.completed_at) == (TicketState.RESOLVED, NOON)
    assert {name for name in after if after[name] != before[name]} == {
        "status", "resolution", "completedDate", "completedByResourceID",
    }  # fmt: skip
    assert after["_rich"] == RICH
    [patch] = tenant.calls_to("Tickets", method="PATCH")
    assert set(patch.body) == {"id", "status", "resolution"}


def test_what_a_technician_changes_meanwhile_stays(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket()
    edit = {"priority": 4, "title": "Worse", "description": RICH}
    tenant.plan(
        Fault(effect=Effect.THEN, before=lambda world: world.edit_ticket(int(ticket_id), edit)).at(
            "Tickets$", method="PATCH"
        )
    )

    psa.resolve(ticket_id, "Works again.")

    [ticket] = tenant.tickets
    assert (ticket["priority"], ticket["title"], ticket["_rich"], ticket["status"]) == (4, "Worse", RICH, 5)


def test_what_was_written_as_resolution_stays_above_ours(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket(resolution="New disk.")

    psa.resolve(ticket_id, "Works again.")

    assert tenant.tickets[0]["resolution"] == "New disk.\n\nWorks again."


def test_what_a_former_attempt_wrote_is_not_written_again(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket(resolution="New disk.\n\nWorks again.")

    psa.resolve(ticket_id, "Works again.")

    assert tenant.tickets[0]["resolution"] == "New disk.\n\nWorks again."


def test_a_resolution_that_is_full_is_left_alone(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket(resolution="x" * 31_995)

    psa.resolve(ticket_id, "Works again.")

    assert (tenant.tickets[0]["resolution"], tenant.tickets[0]["status"]) == ("x" * 31_995, 5)


def test_resolving_what_is_closed_already_changes_nothing(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket()
    tenant.close_ticket(ticket_id)

    assert psa.resolve(ticket_id, "Works again.").completed_at == NOON
    assert tenant.calls_to("Tickets", method="PATCH") == []
    assert tenant.tickets[0]["resolution"] == ""


def test_a_ticket_that_a_rule_opens_again_is_not_called_resolved(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket()
    reopen = Fault(effect=Effect.THEN, after=lambda world: world.edit_ticket(int(ticket_id), {"status": 8}))
    tenant.plan(reopen.at("Tickets$", method="PATCH"))

    with pytest.raises(Refused, match="still open"):
        psa.resolve(ticket_id, "Works again.")


def test_a_change_names_only_what_it_changes(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket(status=5)

    ticket = psa.change(ticket_id, TicketChange(status_id="8", priority_id="1"))

    assert (ticket.state, ticket.status_id) == (TicketState.OPEN, "8")
    [patch] = tenant.calls_to("Tickets", method="PATCH")
    assert patch.body == {"id": int(ticket_id), "status": 8, "priority": 1}


def test_a_change_of_a_hidden_ticket_is_told_as_such(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket()
    tenant.hide(ticket_id)

    with pytest.raises(NotFound):
        psa.change(ticket_id, TicketChange(status_id="8"))


def test_a_choice_that_is_gone_says_that_the_reference_is_stale(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    with pytest.raises(InvalidData) as raised:
        psa.change(tenant.add_ticket(), TicketChange(priority_id="99"))

    assert raised.value.reference_is_stale
    assert raised.value.says[0] == "Picklist value [99] does not exist for priority."


def test_moments_without_a_zone_are_universal_time(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket(status=5)
    tenant.plan(Fault(effect=Effect.NAIVE))
    tenant.plan(Fault(effect=Effect.NAIVE).at("Tickets/"))

    assert psa.ticket(ticket_id).completed_at == datetime(2026, 3, 2, 12, 0, 0, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    "text, microsecond",
    [("2026-03-02T12:00:00.2Z", 200_000), ("2026-03-02T12:00:00.1234567", 123_456), ("2026-03-02T14:00:00+02:00", 0)],
)
def test_moments_come_in_several_spellings(
    tenant: FakeAutotask, psa: AutotaskTickets, text: str, microsecond: int
) -> None:
    ticket_id = tenant.add_ticket(status=5, completedDate=text)

    assert psa.ticket(ticket_id).completed_at == NOON.replace(microsecond=microsecond)


def test_fields_that_nobody_knows_yet_do_no_harm(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket()
    tenant.plan(Fault(effect=Effect.UNKNOWN).at("query"))

    assert [ticket.id for ticket in psa.tickets([ticket_id])] == [ticket_id]


def test_an_id_that_is_none_is_not_asked_for(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    for bad in ("", "12/../Companies", "-1", "x"):
        with pytest.raises(Refused):
            psa.ticket(bad)
    assert tenant.calls == []


def test_conventions_always_count_complete_as_closed() -> None:
    conventions = Conventions(closed=frozenset())

    assert replace(conventions, closed=frozenset({"21"})).state_of(5) is TicketState.RESOLVED
    assert conventions.state_of(8) is TicketState.OPEN
