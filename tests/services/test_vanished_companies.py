"""Many companies that go out of sight at once: rather a right that was lost, until a person says that it is so."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from shared.clients.errors import BadAnswer
from shared.db.session import transaction
from shared.domain.ticket import MappingState
from shared.models.audit import AuditEntry
from shared.models.customers import Customer
from shared.queries.ticketing_settings import DoubtedCompanies, doubted_companies
from shared.services.check_mappings import check_mappings
from tests.builders import make_user
from tests.services.test_ticket_work import do_what_is_due
from tests.services.ticket_world import TicketWorld


def twenty(world: TicketWorld, hidden: int) -> list[int]:
    """Return customers whose companies were seen once, before the first `hidden` of them went out of sight."""
    customers = [world.customer(f"Customer {number}") for number in range(20)]
    with world.provider() as psa:
        check_mappings(psa, now=world.now)
    for customer_id in customers[:hidden]:
        world.fake.remove_company(company_of(world, customer_id))
    world.later(days=1)
    return customers


def company_of(world: TicketWorld, customer_id: int) -> str:
    return world.db.get_one(Customer, customer_id).autotask_company_id or ""


def states(world: TicketWorld) -> list[MappingState | None]:
    found = select(Customer).order_by(Customer.id).execution_options(populate_existing=True)
    return [each.autotask_mapping for each in world.db.scalars(found)]


def doubted(world: TicketWorld) -> DoubtedCompanies:
    with transaction() as db:
        return doubted_companies(db)


def test_they_are_counted_for_a_person_and_looked_at_again_a_day_later(installed: TicketWorld) -> None:
    twenty(installed, hidden=11)
    for _ in range(4):
        do_what_is_due(installed)
        installed.later(minutes=15)
    asked = len(installed.fake.calls_to("Companies/query"))
    installed.later(days=1)
    do_what_is_due(installed)

    assert states(installed) == [MappingState.OK] * 20
    assert doubted(installed) == DoubtedCompanies(unseen=11, total=20)
    assert (asked, len(installed.fake.calls_to("Companies/query"))) == (2, 3)  # the first look was at what all were


def test_they_are_no_longer_doubted_once_they_are_to_be_seen_again(tickets: TicketWorld) -> None:
    customers = twenty(tickets, hidden=0)
    rows = {
        company_of(tickets, each): tickets.fake.world.rows["Companies"][int(company_of(tickets, each))]
        for each in customers
    }
    for company_id in rows:
        tickets.fake.remove_company(company_id)
    with tickets.provider() as psa:
        with pytest.raises(BadAnswer):
            check_mappings(psa, now=tickets.now)
        lost = doubted(tickets)
        tickets.fake.world.rows["Companies"] |= {int(company_id): row for company_id, row in rows.items()}
        check_mappings(psa, now=tickets.later(hours=1))

    assert (lost, doubted(tickets)) == (DoubtedCompanies(unseen=20, total=20), DoubtedCompanies(unseen=0, total=20))


def test_one_that_a_person_looks_at_by_itself_is_no_longer_doubted(tickets: TicketWorld) -> None:
    customers = twenty(tickets, hidden=11)
    with tickets.provider() as psa:
        with pytest.raises(BadAnswer):
            check_mappings(psa, now=tickets.now)
        check_mappings(psa, now=tickets.now + timedelta(minutes=1), customer_ids=customers[:1])

    assert states(tickets)[0] is MappingState.MISSING
    assert doubted(tickets).unseen == 10


def test_a_person_says_that_it_is_so(tickets: TicketWorld) -> None:
    twenty(tickets, hidden=11)
    person = make_user(tickets.db)
    tickets.db.commit()
    with tickets.provider() as psa:
        with pytest.raises(BadAnswer):
            check_mappings(psa, now=tickets.now)
        checked = check_mappings(psa, now=tickets.later(hours=1), so_says=person)

    assert (checked.changed, states(tickets)) == (11, [MappingState.MISSING] * 11 + [MappingState.OK] * 9)
    assert doubted(tickets) == DoubtedCompanies(unseen=0, total=20)
    [act] = tickets.db.scalars(select(AuditEntry).where(AuditEntry.action == "companies.believed_gone"))
    assert (act.user_id, act.after) == (person.user_id, {"gone": 11, "of": 20})


def test_who_says_so_of_companies_that_are_all_there_changes_nothing(tickets: TicketWorld) -> None:
    twenty(tickets, hidden=0)
    person = make_user(tickets.db)
    tickets.db.commit()
    with tickets.provider() as psa:
        assert check_mappings(psa, now=tickets.now, so_says=person).changed == 0

    assert states(tickets) == [MappingState.OK] * 20
    assert tickets.db.scalars(select(AuditEntry).where(AuditEntry.action == "companies.believed_gone")).all() == []
