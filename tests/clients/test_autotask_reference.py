"""Companies, choices and what is left of the hour."""

import pytest

from shared.clients.autotask import AutotaskTickets
from shared.clients.errors import NotSupported
from shared.clients.manual_tickets import ManualTickets
from shared.domain.ticketing import Ability, Company, Pace, ReferenceKind, TicketProvider, Usage
from tests.fake_autotask import FakeAutotask


def test_companies_are_found_by_a_part_of_their_name(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    aspen = tenant.add_company("Aspen Dental", companyNumber="C-7")
    tenant.add_company("Aspen Estates", isActive=False)
    tenant.add_company("Birch")

    assert psa.search_companies(" aspen ") == [Company(id=aspen, name="Aspen Dental", is_active=True, number="C-7")]
    assert psa.search_companies(aspen) == psa.search_companies("aspen")


def test_a_search_for_nothing_asks_nobody(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    assert psa.search_companies("  ") == []
    assert tenant.calls == []


def test_a_search_ends_at_fifty(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    for each in range(60):
        tenant.add_company(f"Aspen {each}")

    assert len(psa.search_companies("aspen")) == 50


def test_mapped_companies_are_seen_renamed_inactive_or_not_at_all(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    renamed, inactive, gone = (tenant.add_company(name) for name in ("Aspen", "Birch", "Cedar"))
    tenant.change_company(renamed, companyName="Aspen Group")
    tenant.change_company(inactive, isActive=False)
    tenant.remove_company(gone)

    found = {company.id: company for company in psa.companies([renamed, inactive, gone])}

    assert found[renamed].name == "Aspen Group"
    assert not found[inactive].is_active
    assert gone not in found


def test_all_active_companies_come_with_one_call_for_500(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    made = {tenant.add_company(f"Company {number}") for number in range(700)}
    tenant.change_company(tenant.add_company("Gone"), isActive=False)

    found = psa.active_companies()

    assert {company.id for company in found} == made | {"0"}
    assert len(tenant.calls_to("Companies/query")) == 2


def test_choices_come_with_what_is_needed_to_offer_them(psa: AutotaskTickets) -> None:
    values = psa.reference()

    assert {value.kind for value in values} == set(ReferenceKind)
    statuses = {value.id: value for value in values if value.kind is ReferenceKind.STATUS}
    assert (statuses["5"].label, statuses["30"].is_active) == ("Complete", False)
    [switch] = [value for value in values if value.label == "Switch"]
    assert (switch.kind, switch.parent_id) == (ReferenceKind.SUB_ISSUE_TYPE, "12")


def test_usage_is_what_all_applications_of_the_tenant_made(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    tenant.world.used = 9_199

    assert psa.usage() == Usage(used=9_200, limit=10_000)


@pytest.mark.parametrize(
    "used, pace",
    [(0, Pace.NORMAL), (7_499, Pace.NORMAL), (7_500, Pace.SLOW), (8_999, Pace.SLOW), (9_000, Pace.PAUSED)],
)
def test_the_fuller_the_hour_the_less_goes_to_what_nobody_waits_for(used: int, pace: Pace) -> None:
    assert Usage(used=used, limit=10_000).pace is pace
    assert Usage(used=used, limit=0).pace is Pace.PAUSED


def test_without_a_ticketing_system_everything_is_done_by_hand(psa: AutotaskTickets) -> None:
    providers: list[TicketProvider] = [ManualTickets(), psa]

    assert [provider.abilities for provider in providers] == [frozenset(), frozenset(Ability)]
    assert providers[0].usage() is None
    for attempt in (lambda: providers[0].ticket("1"), lambda: providers[0].search_companies("x")):
        with pytest.raises(NotSupported, match="by hand"):
            attempt()
