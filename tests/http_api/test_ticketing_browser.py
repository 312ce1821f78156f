"""Settings, Autotask, and the companies of customers, in a real browser."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from tests.autotask_world import tenant_in_the_environment
from tests.fake_autotask import Effect, FakeAutotask, Fault
from tests.http_api.client import Browser
from tests.http_api.lists import make_customer
from tests.http_api.live import opened, served

PATH = "/manage/settings/autotask"


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch, settings_of_the_test: None) -> Iterator[FakeAutotask]:
    with tenant_in_the_environment(monkeypatch) as running:
        yield running


def test_what_is_typed_outlives_a_refresh_of_the_choices(app: FastAPI, tenant: FakeAutotask, admin: Browser) -> None:
    with served(app) as address, opened(address, admin) as tab:
        page = tab.page
        page.goto(f"{address}{PATH}")
        page.fill("#due_hours", "77")
        page.fill("#title_template", "{customer} at last")
        page.wait_for_selector(".ticket-preview-title:has-text('Aspen Dental at last')")

        page.click("button:has-text('Refresh')")
        page.wait_for_selector("#cached .note:has-text('Fetched')")

        assert page.input_value("#due_hours") == "77"
        assert page.input_value("#title_template") == "{customer} at last"
        page.select_option("#issue_type_id", "11")
        page.select_option("#sub_issue_type_id", "111")
        page.select_option("#issue_type_id", "12")
        assert page.input_value("#sub_issue_type_id") == ""
        page.click("button:has-text('Test the connection')")
        page.wait_for_selector(".checklist .check-ok >> nth=6")
        assert tab.trouble == []


def test_while_autotask_takes_its_time_the_page_says_so_and_asks_once(
    app: FastAPI, tenant: FakeAutotask, admin: Browser
) -> None:
    customer_id = make_customer("Aspen")
    tenant.add_company("Aspen Dental")
    with served(app) as address, opened(address, admin) as tab:
        page = tab.page
        page.goto(f"{address}/customers/{customer_id}/autotask")
        tenant.plan(Fault(effect=Effect.SLOW, seconds=1.5, on="Companies"))
        page.click("button:has-text('Search')")
        page.wait_for_selector("#search-busy", state="visible")
        page.wait_for_selector("#found li:has-text('Aspen Dental')")
        page.wait_for_selector("#search-busy", state="hidden")

        asked = len(tenant.calls_to("Companies/query"))
        tenant.plan(Fault(effect=Effect.SLOW, seconds=1.5, on="Companies"))
        page.evaluate("button => { button.click(); button.click(); }", page.query_selector("#found button"))
        page.wait_for_selector("dd:has-text('Aspen Dental')")

        assert len(tenant.calls_to("Companies/query")) == asked + 1
        assert tab.trouble == []
