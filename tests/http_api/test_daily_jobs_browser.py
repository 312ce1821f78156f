"""A day in a browser: from day to day by keyboard, narrowed without losing what was typed."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from shared.domain.slot_state import SlotState
from tests.http_api.client import Browser
from tests.http_api.lists import make_job
from tests.http_api.live import Tab, opened, served
from tests.http_api.test_daily_jobs import DAY, slot

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def tab(app: FastAPI, clean_database: str, viewer: Browser) -> Iterator[Tab]:
    with served(app) as address, opened(address, viewer) as found:
        yield found


def test_a_day_is_found_by_keyboard_date_and_month(tab: Tab) -> None:
    page = tab.page
    slot(make_job("Nightly"), DAY, state=SlotState.MISSED)
    slot(make_job("Weekly"), DAY, state=SlotState.NOT_JUDGED)
    page.goto(f"{tab.address}/daily-jobs?day=2026-03-04")

    page.keyboard.press("ArrowLeft")
    page.wait_for_selector("text=Tuesday 3 March 2026")
    assert page.locator("tr[data-row]").count() == 2

    page.fill("[data-search]", "week")
    page.wait_for_url("**q=week**")
    page.wait_for_selector("tr[data-row] >> nth=1", state="detached")
    assert page.evaluate("document.activeElement.name") == "q"

    with page.expect_response("**q=week**"):
        page.keyboard.press("Tab")  # a request that the next one overtakes would be no trouble, but noise
    page.fill("[name=day]", "2026-03-05")
    page.wait_for_selector("text=No job fits.")
    assert page.inner_text("#day-said") == "Thursday 5 March 2026"
    assert page.title() == "Daily Jobs, Thu 5 Mar 2026 · Backupchecks"

    page.click(".heat-day[href*='2026-03-03']")
    page.wait_for_selector("text=Tuesday 3 March 2026")
    assert page.input_value("[data-search]") == "week"

    page.keyboard.press("t")
    page.wait_for_selector("#day-said:has-text('today')")
    assert tab.trouble == []
