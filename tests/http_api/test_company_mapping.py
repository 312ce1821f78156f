"""The company of a customer at Autotask: searched, chosen, accepted, cleared; suggested for many; read from a file."""

import re
from collections.abc import Iterator
from html import unescape

import pytest
from httpx import Response
from sqlalchemy import select

from shared.db.session import transaction
from shared.domain.company_mapping import companies_by_name
from shared.domain.ticket import MappingState
from shared.domain.ticketing import Company
from shared.models.customers import Customer
from tests.autotask_world import tenant_in_the_environment
from tests.fake_autotask import FakeAutotask, Fault
from tests.http_api.client import Browser
from tests.http_api.lists import counted_statements, make_customer, rows, text_of
from tests.http_api.mail_world import acts

HTMX = {"HX-Request": "true"}
MANY = "/customers/companies"


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch, settings_of_the_test: None) -> Iterator[FakeAutotask]:
    with tenant_in_the_environment(monkeypatch) as running:
        yield running


def page_of(customer_id: int) -> str:
    return f"/customers/{customer_id}/autotask"


def standing(customer_id: int) -> tuple[str | None, str | None, MappingState | None]:
    with transaction() as db:
        customer = db.get_one(Customer, customer_id)
        return customer.autotask_company_id, customer.autotask_company_name, customer.autotask_mapping


def mapped(name: str, company_id: str, state: MappingState = MappingState.OK, renamed_to: str | None = None) -> int:
    customer_id = make_customer(name)
    with transaction() as db:
        customer = db.get_one(Customer, customer_id)
        customer.autotask_company_id, customer.autotask_company_name = company_id, name
        customer.autotask_mapping, customer.autotask_company_renamed_to = state, renamed_to
    return customer_id


def toast_after(browser: Browser, answer: Response) -> str:
    assert answer.status_code == 303
    return text_of(browser.get(answer.headers["location"]).text)


class TestOneCustomer:
    def test_the_search_begins_with_the_name_and_asks_on_request_alone(
        self, tenant: FakeAutotask, operator: Browser
    ) -> None:
        customer_id = make_customer("Aspen")
        tenant.add_company("Aspen Dental", companyNumber="C-0042")

        page = operator.get(page_of(customer_id)).text
        assert 'name="q" value="Aspen"' in page
        assert tenant.calls == []

        found = operator.get(f"{page_of(customer_id)}/search?q=aspen", headers=HTMX).text
        assert "Aspen Dental C-0042 active" in text_of(found)
        assert "<nav" not in found

    def test_what_is_chosen_is_stored_as_autotask_has_it(self, tenant: FakeAutotask, operator: Browser) -> None:
        customer_id = make_customer("Aspen")
        company_id = tenant.add_company("Aspen Dental")

        said = toast_after(operator, operator.post(page_of(customer_id), data={"company_id": company_id}))

        assert "Aspen is Aspen Dental at Autotask." in said
        assert standing(customer_id) == (company_id, "Aspen Dental", MappingState.OK)
        assert len(acts("customer.mapped")) == 1

    def test_a_company_of_another_customer_is_refused_by_his_name(
        self, tenant: FakeAutotask, operator: Browser
    ) -> None:
        company_id = tenant.add_company("Aspen Dental")
        mapped("Birch", company_id)
        customer_id = make_customer("Aspen")

        offered = operator.get(f"{page_of(customer_id)}/search?q=aspen").text
        assert "the company of Birch" in text_of(offered)
        assert re.search(rf'value="{company_id}"[^>]* disabled', offered)

        answer = operator.post(page_of(customer_id), data={"company_id": company_id})
        assert answer.status_code == 409
        assert "“Aspen Dental” is the company of Birch already" in text_of(answer.text)
        assert standing(customer_id) == (None, None, None)

    @pytest.mark.parametrize("company_id", ["", "x", "999999", "9" * 40, "1 OR 1"])
    def test_what_autotask_does_not_show_is_no_company(
        self, tenant: FakeAutotask, operator: Browser, company_id: str
    ) -> None:
        customer_id = make_customer("Aspen")

        answer = operator.post(page_of(customer_id), data={"company_id": company_id})

        assert answer.status_code == 422
        assert "Autotask shows no such company" in text_of(answer.text)

    def test_an_inactive_company_is_refused(self, tenant: FakeAutotask, operator: Browser) -> None:
        customer_id = make_customer("Aspen")

        answer = operator.post(page_of(customer_id), data={"company_id": tenant.add_company("Aspen", isActive=False)})

        assert "not active at Autotask" in text_of(answer.text)
        assert standing(customer_id) == (None, None, None)

    def test_a_new_name_shows_beside_the_old_one_until_it_is_accepted(
        self, tenant: FakeAutotask, operator: Browser
    ) -> None:
        company_id = tenant.add_company("Aspen Group")
        customer_id = mapped("Aspen", company_id)
        operator.post(f"{page_of(customer_id)}/refresh")

        page = operator.get(page_of(customer_id)).text
        assert "Chosen as “Aspen”, it is now called “Aspen Group”" in text_of(page)

        assert operator.post(f"{page_of(customer_id)}/accept", data={"name": "Aspen NV"}).status_code == 409
        operator.post(f"{page_of(customer_id)}/accept", data={"name": "Aspen Group"})
        assert standing(customer_id) == (company_id, "Aspen Group", MappingState.OK)

    def test_missing_and_inactive_say_what_to_do(self, tenant: FakeAutotask, operator: Browser) -> None:
        gone = mapped("Aspen", "777")
        asleep = mapped("Birch", tenant.add_company("Birch", isActive=False))
        for customer_id in (gone, asleep):
            operator.post(f"{page_of(customer_id)}/refresh")

        assert "does not show this company any more" in text_of(operator.get(page_of(gone)).text)
        assert "Activate it there and refresh" in text_of(operator.get(page_of(asleep)).text)

    def test_clearing_takes_the_company_away(self, operator: Browser) -> None:
        customer_id = mapped("Aspen", "7")

        operator.post(f"{page_of(customer_id)}/clear")

        assert standing(customer_id) == (None, None, None)
        assert len(acts("customer.unmapped")) == 1

    @pytest.mark.parametrize(
        "fault, words",
        [
            (Fault.throttle("90", times=None), "throttling us: try again in 90 seconds"),
            (Fault.of(401, times=None), "refused the sign-in"),
            (Fault.of(500, "Unable to find it.", times=None), "Autotask refused: Unable to find it."),
        ],
    )
    def test_trouble_is_told_in_words(self, tenant: FakeAutotask, operator: Browser, fault: Fault, words: str) -> None:
        customer_id = mapped("Aspen", "7")
        tenant.plan(fault.at("Companies", times=None))

        assert words in text_of(operator.get(f"{page_of(customer_id)}/search?q=x", headers=HTMX).text)
        assert operator.get(f"{page_of(customer_id)}/search?q=x").status_code == 200
        said = toast_after(operator, operator.post(f"{page_of(customer_id)}/refresh"))
        assert words in said or "refused the sign-in" in said
        assert standing(customer_id)[2] is MappingState.OK

    def test_without_credentials_it_says_so(self, operator: Browser) -> None:
        customer_id = make_customer("Aspen")

        found = operator.get(f"{page_of(customer_id)}/search?q=x", headers=HTMX)

        assert "Autotask is not set up" in text_of(found.text)

    def test_a_customer_that_is_gone_is_not_there(self, operator: Browser) -> None:
        for path in ("", "/search"):
            assert operator.get(f"{page_of(0)}{path}").status_code == 404
        for path in ("", "/refresh", "/clear", "/accept"):
            assert operator.post(f"{page_of(0)}{path}").status_code == 404

    def test_those_who_only_look_change_nothing(self, viewer: Browser) -> None:
        customer_id = mapped("Aspen", "7")

        assert viewer.get(page_of(customer_id)).status_code == 403
        for path in ("", "/refresh", "/clear", "/accept"):
            assert viewer.post(f"{page_of(customer_id)}{path}").status_code == 403
        for path in (MANY, f"{MANY}/suggest", f"{MANY}/refresh"):
            assert viewer.post(path).status_code == 403


class TestMany:
    def test_each_customer_gets_the_one_company_of_his_name_offered(
        self, tenant: FakeAutotask, operator: Browser
    ) -> None:
        aspen, birch, cedar = (make_customer(name) for name in ("Aspen Dental B.V.", "Birch", "Cedar"))
        make_customer("Asleep", active=False)
        company_id = tenant.add_company("ASPEN DENTAL BV".replace("BV", "B.V."))
        for name in ("Birch", "birch"):
            tenant.add_company(name)
        mapped("Cedar NV", tenant.add_company("Cedar"))

        assert tenant.calls == []
        page = operator.post(f"{MANY}/suggest")

        assert f'value="{aspen}:{company_id}" checked' in page.text
        assert page.text.count('name="pair"') == 1
        assert f'"{birch}:' not in page.text
        assert f'"{cedar}:' not in page.text
        assert "Asleep" not in page.text
        assert standing(aspen) == (None, None, None)

        said = toast_after(operator, operator.post(MANY, data={"pair": [f"{aspen}:{company_id}"]}))
        assert "1 customer got a company at Autotask." in said
        assert standing(aspen) == (company_id, "ASPEN DENTAL B.V.", MappingState.OK)

    def test_hundreds_take_a_few_calls(self, tenant: FakeAutotask, operator: Browser) -> None:
        names = [f"Customer {number:03}" for number in range(300)]
        pairs = [(make_customer(name), tenant.add_company(name)) for name in names]
        for number in range(200):
            tenant.add_company(f"Other {number:03}")

        page = operator.post(f"{MANY}/suggest")
        assert page.text.count('name="pair"') == 300
        operator.post(MANY, data={"pair": [f"{customer}:{company}" for customer, company in pairs]})

        assert all(standing(customer)[0] == company for customer, company in pairs)
        assert len(tenant.calls_to("Companies/query")) == 2 + 2

    def test_what_changed_since_it_was_suggested_is_left_out_and_told(
        self, tenant: FakeAutotask, operator: Browser
    ) -> None:
        aspen, birch, cedar = (make_customer(name) for name in ("Aspen", "Birch", "Cedar"))
        companies = {name: tenant.add_company(name) for name in ("Aspen", "Birch", "Cedar")}
        mapped("Aspen NV", companies["Aspen"])
        tenant.remove_company(companies["Birch"])

        pairs = [f"{aspen}:{companies['Aspen']}", f"{birch}:{companies['Birch']}", f"{cedar}:{companies['Cedar']}"]
        said = toast_after(operator, operator.post(MANY, data={"pair": [*pairs, "nonsense", "1:2:3"]}))

        assert "1 customer got a company at Autotask. “Aspen” is the company of Aspen NV already" in said
        assert [standing(each)[0] is None for each in (aspen, birch, cedar)] == [True, True, False]

    def test_trouble_suggests_nothing_and_says_why(self, tenant: FakeAutotask, operator: Browser) -> None:
        make_customer("Aspen")
        tenant.plan(Fault.throttle("60", times=None))

        page = operator.post(f"{MANY}/suggest").text

        assert "throttling us" in text_of(page)
        assert "name of one of them" not in page

    def test_two_customers_of_one_name_and_taken_companies_are_no_suggestion(self) -> None:
        company = Company(id="7", name="Aspen", is_active=True)

        assert companies_by_name({1: "Aspen", 2: "ASPEN."}, [company], taken=()) == {}
        assert companies_by_name({1: "Aspen"}, [company], taken={"7"}) == {}
        assert companies_by_name({1: "Aspen"}, [company], taken=()) == {1: company}

    def test_refreshing_all_says_what_was_found(self, tenant: FakeAutotask, operator: Browser) -> None:
        mapped("Aspen", tenant.add_company("Aspen Group"))
        mapped("Birch", tenant.add_company("Birch"))
        mapped("Cedar", "777")

        said = toast_after(operator, operator.post(f"{MANY}/refresh"))

        assert "Looked at 3 companies: 1 renamed, 1 missing." in said


class TestList:
    def test_the_state_stands_in_words_and_can_be_filtered_by(self, tenant: FakeAutotask, operator: Browser) -> None:
        make_customer("Ash")
        mapped("Birch", "1")
        mapped("Cedar", "2", MappingState.RENAMED, "Cedar Group")
        mapped("Dogwood", "3", MappingState.MISSING)
        mapped("Elm", "4", MappingState.INVALID)

        said = " ".join(rows(operator.get("/customers")))
        for words in ("Ash Active 0 Not mapped", "Renamed: Cedar Group", "Missing: Dogwood", "Not active: Elm"):
            assert words in said
        for state, name in (("none", "Ash"), ("ok", "Birch"), ("renamed", "Cedar"), ("missing", "Dogwood")):
            [row] = rows(operator.get(f"/customers?company={state}"))
            assert name in row
        assert len(rows(operator.get("/customers?company=nonsense"))) == 5
        assert tenant.calls == []

    def test_the_column_comes_with_autotask(self, operator: Browser, viewer: Browser) -> None:
        make_customer("Ash")

        assert "Company at Autotask" not in operator.get("/customers").text

    def test_those_who_only_look_see_the_state_and_no_way_to_change_it(
        self, tenant: FakeAutotask, viewer: Browser
    ) -> None:
        make_customer("Ash")

        page = viewer.get("/customers").text

        assert "Not mapped" in page
        assert "/autotask" not in page
        assert "Refresh companies" not in page

    def test_a_list_of_hundreds_asks_the_database_as_often_as_an_empty_one(
        self, tenant: FakeAutotask, operator: Browser
    ) -> None:
        with counted_statements() as few:
            operator.get("/customers")
        for number in range(60):
            mapped(f"Customer {number}", str(number))
        with counted_statements() as many:
            operator.get("/customers")

        assert len(many) == len(few)


class TestFile:
    def show(self, browser: Browser, content: str) -> Response:
        return browser.post("/customers/import", files={"file": ("customers.csv", content.encode(), "text/csv")})

    def confirm(self, browser: Browser, preview: Response) -> None:
        hidden = re.search(r'name="content" value="([^"]*)"', preview.text)
        assert hidden is not None
        browser.post("/customers/import/confirm", data={"content": unescape(hidden[1])})

    def test_companies_come_with_the_customers(self, tenant: FakeAutotask, operator: Browser) -> None:
        aspen, birch = tenant.add_company("Aspen Dental"), tenant.add_company("Birch Logistics")
        make_customer("Aspen")

        preview = self.show(operator, f"name,autotask_company_id\nAspen,{aspen}\nBirch,{birch}\n")
        said = text_of(preview.text)
        assert "1 to add · 1 to change" in said
        assert "2 Aspen company Aspen Dental" in said
        assert "3 Birch New, company Birch Logistics" in said

        self.confirm(operator, preview)
        with transaction() as db:
            found = {row[0]: row[1] for row in db.execute(select(Customer.name, Customer.autotask_company_id))}
        assert found == {"Aspen": aspen, "Birch": birch}
        assert len(acts("customer.mapped")) == 2

    def test_each_line_says_why_it_can_not_be(self, tenant: FakeAutotask, operator: Browser) -> None:
        company, asleep = tenant.add_company("Aspen"), tenant.add_company("Old", isActive=False)
        mapped("Owner", tenant.add_company("Owned"))
        with transaction() as db:
            owned = db.scalars(select(Customer.autotask_company_id).where(Customer.name == "Owner")).one()
        lines = [f"A,{company}", f"B,{company}", "C,999999", f"D,{asleep}", f"E,{owned}", "F,T-1000"]

        said = text_of(self.show(operator, "\n".join(["name,autotask_company_id", *lines])).text)

        for words in (
            f"3 B Left out: company {company} stands on line 2 already",
            "4 C Left out: Autotask shows no company 999999",
            f"5 D Left out: company {asleep} is not active at Autotask",
            f"6 E Left out: company {owned} is the company of Owner already",
            "7 F Left out: “T-1000” is no number of a company at Autotask",
        ):
            assert words in said

    def test_an_empty_company_leaves_the_mapping_alone(self, tenant: FakeAutotask, operator: Browser) -> None:
        customer_id = mapped("Aspen", "7")

        assert "Nothing to import" in self.show(operator, "name,autotask_company_id\nAspen,\n").text
        assert "Nothing to import" in self.show(operator, "name,autotask_company_id\nAspen,7\n").text
        assert standing(customer_id)[0] == "7"
        assert tenant.calls == []

    def test_an_export_can_be_imported_again(self, tenant: FakeAutotask, operator: Browser) -> None:
        mapped("Aspen", "7")
        make_customer("Birch")

        exported = operator.get("/customers/export.csv").text

        assert "Aspen,yes,,,,7,Aspen" in exported
        assert "Nothing to import" in self.show(operator, exported).text

    def test_where_autotask_does_not_answer_the_other_lines_go_in(
        self, tenant: FakeAutotask, operator: Browser
    ) -> None:
        tenant.plan(Fault.throttle("60", times=None))

        preview = self.show(operator, "name,autotask_company_id\nAspen,7\nBirch,\n")

        assert "2 Aspen Left out: Autotask is throttling us" in text_of(preview.text)
        self.confirm(operator, preview)
        with transaction() as db:
            assert list(db.scalars(select(Customer.name))) == ["Birch"]
