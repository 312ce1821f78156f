"""Customers and their companies at Autotask: who is whose, and what becomes of it over there."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.clients.autotask import AutotaskTickets
from shared.clients.errors import BadAnswer, Throttled, Upstream
from shared.db.session import transaction
from shared.domain.company_mapping import same_name
from shared.domain.ticket import MappingState, TicketSource
from shared.domain.ticketing import Company, ReferenceKind
from shared.models.audit import AuditEntry
from shared.models.customers import Customer
from shared.models.ticketing import TicketingChoice, TicketingSettings, TicketingState
from shared.services.audit import Actor
from shared.services.check_mappings import MANY_GONE, check_mappings
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.map_customers import accept_name, clear_mapping, map_customer, map_customers
from shared.services.why_no_ticket import why_no_ticket
from tests.autotask_world import client_of, running_tenant
from tests.builders import NOW, make_customer, make_user
from tests.fake_autotask import Effect, FakeAutotask, Fault


@pytest.fixture
def tenant() -> Iterator[FakeAutotask]:
    with running_tenant() as running:
        yield running


@pytest.fixture
def psa(tenant: FakeAutotask) -> Iterator[AutotaskTickets]:
    with client_of(tenant) as client:
        yield client


@pytest.fixture
def actor(committed_db: Session) -> Actor:
    made = make_user(committed_db)
    committed_db.commit()
    return made


def mapped(actor: Actor, company_id: str, name: str) -> int:
    """Return the id of a customer that is a company of this name."""
    with transaction() as db:
        customer_id = make_customer(db, name)
        map_customer(db, customer_id, Company(id=company_id, name=name, is_active=True), actor=actor, now=NOW)
        return customer_id


def standing(customer_id: int) -> tuple[MappingState | None, str | None, str | None]:
    with transaction() as db:
        customer = db.get_one(Customer, customer_id)
        return customer.autotask_mapping, customer.autotask_company_name, customer.autotask_company_renamed_to


def why(customer_id: int) -> str | None:
    with transaction() as db:
        settings = db.get_one(TicketingSettings, 1)
        settings.provider, settings.queue_id, settings.priority_failed_id = TicketSource.AUTOTASK, "1", "2"
        db.flush()
        return why_no_ticket(db, customer_id)


def acts() -> list[str]:
    with transaction() as db:
        return list(db.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


class TestChoosing:
    def test_a_company_is_one_customers_and_the_refusal_names_him(self, actor: Actor) -> None:
        mapped(actor, "7", "Aspen Dental")
        with transaction() as db:
            other = make_customer(db, "Aspen Clinics")
            with pytest.raises(Conflict, match="“Aspen” is the company of Aspen Dental already"):
                map_customer(db, other, Company(id="7", name="Aspen", is_active=True), actor=actor, now=NOW)

        assert standing(other) == (None, None, None)

    def test_two_people_who_choose_one_company_at_once_give_it_to_one_customer(self, actor: Actor) -> None:
        with transaction() as db:
            customers = [make_customer(db, "Aspen"), make_customer(db, "Birch")]
        ready, outcomes = threading.Barrier(2), []

        def choose(customer_id: int) -> None:
            with transaction() as db:
                ready.wait(10)
                try:
                    company = Company(id="7", name="Shared", is_active=True)
                    outcomes.append(map_customer(db, customer_id, company, actor=actor, now=NOW))
                except Conflict as problem:
                    outcomes.append(str(problem))

        threads = [threading.Thread(target=choose, args=(each,)) for each in customers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)

        [winner] = [outcome for outcome in outcomes if outcome in ("Aspen", "Birch")]
        assert sum(f"“Shared” is the company of {winner} already" in outcome for outcome in outcomes) == 1

    def test_an_inactive_company_takes_no_tickets_and_is_no_choice(self, db: Session) -> None:
        with pytest.raises(BadInput, match="not active at Autotask"):
            map_customer(
                db, make_customer(db), Company(id="7", name="Old", is_active=False), actor=make_user(db), now=NOW
            )

    def test_of_many_those_that_can_be_are_mapped(self, db: Session) -> None:
        actor = make_user(db)
        first, second, third = (make_customer(db, name) for name in ("Aspen", "Birch", "Cedar"))
        shared, other = (Company(id=each, name=f"Company {each}", is_active=True) for each in ("7", "8"))

        done = map_customers(db, {first: shared, second: shared, third: other, 0: other}, actor=actor, now=NOW)

        assert done.done == 2
        assert sorted(done.refused) == [
            "This customer doesn't exist (any more).",
            "“Company 7” is the company of Aspen already, and two can't share one. Clear it there first.",
        ]

    def test_each_change_is_audited_with_what_was_before(self, actor: Actor) -> None:
        customer_id = mapped(actor, "7", "Aspen")
        with transaction() as db:
            map_customer(db, customer_id, Company(id="8", name="Aspen NV", is_active=True), actor=actor, now=NOW)
            clear_mapping(db, customer_id, actor=actor, now=NOW)
            clear_mapping(db, customer_id, actor=actor, now=NOW)

        assert acts() == ["customer.mapped", "customer.mapped", "customer.unmapped"]
        with transaction() as db:
            second = db.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()[1]
        assert (second.before, second.after) == (
            {"company": "7", "name": "Aspen"},
            {"company": "8", "name": "Aspen NV"},
        )

    def test_who_is_gone_is_said_to_be(self, db: Session) -> None:
        with pytest.raises(NotFound):
            clear_mapping(db, 0, actor=make_user(db), now=NOW)

    def test_spelling_does_not_make_another_name(self) -> None:
        assert same_name("  ASPEN  Dental, B.V.") == same_name("Aspen-Dental BV")
        assert same_name("St. John's Law") == same_name("St Johns  law")
        assert same_name("Aspen Dental") != same_name("Aspen")


class TestLookingAfter:
    def test_what_is_renamed_inactive_or_gone_is_told_apart(
        self, tenant: FakeAutotask, psa: AutotaskTickets, actor: Actor
    ) -> None:
        names = ("Aspen", "Birch", "Cedar", "Dogwood")
        companies = {name: tenant.add_company(name) for name in names}
        same, renamed, inactive, gone = (mapped(actor, companies[name], name) for name in names)
        tenant.change_company(companies["Birch"], companyName="Birch Group")
        tenant.change_company(companies["Cedar"], isActive=False)
        tenant.remove_company(companies["Dogwood"])

        found = check_mappings(psa, now=NOW)

        assert (found.total, found.changed) == (4, 3)
        assert standing(same) == (MappingState.OK, "Aspen", None)
        assert standing(renamed) == (MappingState.RENAMED, "Birch", "Birch Group")
        assert standing(inactive) == (MappingState.INVALID, "Cedar", None)
        assert standing(gone) == (MappingState.MISSING, "Dogwood", None)
        assert [why(each) is None for each in (same, renamed, inactive, gone)] == [True, True, False, False]
        assert "“Cedar” is not active at Autotask any more: choose another one" in str(why(inactive))
        assert "does not show Dogwood's company “Dogwood” any more" in str(why(gone))

    def test_a_new_name_is_accepted_by_a_person_who_saw_it(
        self, tenant: FakeAutotask, psa: AutotaskTickets, actor: Actor
    ) -> None:
        company = tenant.add_company("Birch")
        customer_id = mapped(actor, company, "Birch")
        tenant.change_company(company, companyName="Birch Group")
        check_mappings(psa, now=NOW, customer_ids=[customer_id])

        with transaction() as db:
            with pytest.raises(Conflict):
                accept_name(db, customer_id, "Birch Holding", actor=actor, now=NOW)
            accept_name(db, customer_id, "Birch Group", actor=actor, now=NOW)

        assert standing(customer_id) == (MappingState.OK, "Birch Group", None)
        check_mappings(psa, now=NOW)
        assert standing(customer_id) == (MappingState.OK, "Birch Group", None)

    def test_what_comes_back_is_well_again(self, tenant: FakeAutotask, psa: AutotaskTickets, actor: Actor) -> None:
        company = tenant.add_company("Cedar")
        customer_id = mapped(actor, company, "Cedar")
        tenant.change_company(company, isActive=False)
        check_mappings(psa, now=NOW)
        tenant.change_company(company, isActive=True)

        check_mappings(psa, now=NOW)

        assert standing(customer_id) == (MappingState.OK, "Cedar", None)
        assert acts().count("customer.mapping_found") == 2

    def test_hundreds_are_looked_at_with_a_call_for_200(
        self, tenant: FakeAutotask, psa: AutotaskTickets, actor: Actor
    ) -> None:
        for number in range(401):
            mapped(actor, tenant.add_company(f"Customer {number:03}"), f"Customer {number:03}")

        found = check_mappings(psa, now=NOW)

        assert found.states == {MappingState.OK: 401}
        assert len(tenant.calls_to("Companies/query")) == 3

    @pytest.mark.parametrize("fault", [Fault.throttle("3600"), Fault.of(500, "Something is wrong.")])
    def test_trouble_half_way_changes_nothing(
        self, tenant: FakeAutotask, psa: AutotaskTickets, actor: Actor, fault: Fault
    ) -> None:
        customers = []
        for number in range(201):
            company = tenant.add_company(f"Customer {number:03}")
            customers.append(mapped(actor, company, f"Customer {number:03}"))
            tenant.change_company(company, isActive=False)
        tenant.plan(fault.at("Companies", skip=1, times=None))

        with pytest.raises(Upstream):
            check_mappings(psa, now=NOW)

        assert {standing(each)[0] for each in customers} == {MappingState.OK}
        with transaction() as db:
            assert db.get_one(TicketingState, 1).companies_at is None

    def test_many_that_vanish_at_once_are_a_lost_right_and_not_gone(
        self, tenant: FakeAutotask, psa: AutotaskTickets, actor: Actor
    ) -> None:
        companies = {f"Customer {number}": tenant.add_company(f"Customer {number}") for number in range(20)}
        customers = [mapped(actor, company_id, name) for name, company_id in companies.items()]
        for company_id in list(companies.values())[: MANY_GONE + 1]:
            tenant.remove_company(company_id)

        with pytest.raises(BadAnswer, match="no longer shows 11 of 20 companies at once"):
            check_mappings(psa, now=NOW)
        assert {standing(each)[0] for each in customers} == {MappingState.OK}

        check_mappings(psa, now=NOW, customer_ids=[customers[0]])  # one by one a person may find out
        assert standing(customers[0])[0] is MappingState.MISSING

    def test_a_company_that_was_chosen_meanwhile_is_left_alone(
        self, tenant: FakeAutotask, psa: AutotaskTickets, actor: Actor
    ) -> None:
        old, new = tenant.add_company("Aspen", isActive=False), tenant.add_company("Aspen NV")
        customer_id = mapped(actor, old, "Aspen")

        def choose_another(world: object) -> None:
            with transaction() as db:
                map_customer(db, customer_id, Company(id=new, name="Aspen NV", is_active=True), actor=actor, now=NOW)

        tenant.plan(Fault(effect=Effect.THEN, on="Companies", after=choose_another))
        found = check_mappings(psa, now=NOW)

        assert found.total == 0
        assert standing(customer_id) == (MappingState.OK, "Aspen NV", None)

    def test_throttling_is_told_with_its_time(self, tenant: FakeAutotask, psa: AutotaskTickets, actor: Actor) -> None:
        mapped(actor, tenant.add_company("Aspen"), "Aspen")
        tenant.plan(Fault.throttle("3600", times=None))

        with pytest.raises(Throttled) as raised:
            check_mappings(psa, now=NOW)
        assert raised.value.retry_after is not None


class TestWhyNoTicket:
    def test_kept_by_hand_nothing_is_in_the_way(self, db: Session) -> None:
        assert why_no_ticket(db, make_customer(db)) is None

    def test_without_a_company_it_says_where_to_choose_one(self, actor: Actor) -> None:
        with transaction() as db:
            customer_id = make_customer(db, "Aspen")

        assert why(customer_id) == "Aspen has no company at Autotask yet: choose it on the customer's Autotask page."
        assert why(0) == "This customer doesn't exist (any more)."

    def test_choices_that_are_missing_or_not_active_are_in_the_way_too(self, db: Session) -> None:
        customer_id = make_customer(db, "Aspen")
        map_customer(db, customer_id, Company(id="7", name="Aspen", is_active=True), actor=make_user(db), now=NOW)
        settings = db.get_one(TicketingSettings, 1)
        settings.provider = TicketSource.AUTOTASK
        assert "No queue is chosen yet" in str(why_no_ticket(db, customer_id))

        settings.queue_id, settings.priority_failed_id = "5", "1"
        assert why_no_ticket(db, customer_id) is None
        db.add(TicketingChoice(kind=ReferenceKind.QUEUE, choice_id="5", label="Old queue", is_active=False))
        assert "The queue “Old queue” is not active at Autotask any more" in str(why_no_ticket(db, customer_id))
