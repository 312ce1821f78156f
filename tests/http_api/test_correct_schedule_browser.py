"""A schedule is corrected by the keyboard alone: form, preview, save."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from tests.http_api.client import Browser
from tests.http_api.live import Tab, opened, served
from tests.http_api.schedule_world import a_daily_job

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture
def tab(app: FastAPI, operator: Browser) -> Iterator[Tab]:
    with served(app) as address, opened(address, operator) as found:
        yield found
        assert found.trouble == []


def next_slots(tab: Tab) -> list[str]:
    found: list[str] = tab.page.locator("#schedule .next-slots li").all_inner_texts()
    return found


def test_a_schedule_is_edited_previewed_and_saved(tab: Tab) -> None:
    job = a_daily_job()
    tab.page.goto(f"{tab.address}/jobs/{job}")
    before = next_slots(tab)

    tab.page.locator("#schedule").get_by_text("Edit…").press("Enter")
    tab.page.wait_for_url("**/schedule/edit")
    tab.page.select_option("#days-0", "weeks")
    assert tab.page.is_visible("#anchor-0")
    tab.page.locator("#days-0").press("Home")  # Daily
    assert not tab.page.is_visible("#anchor-0")
    tab.page.fill("#times-0", "20:15")
    tab.page.locator("#times-0").press("Enter")
    tab.page.wait_for_selector("text=Save this schedule?")
    previewed = tab.page.locator(".compare .next-slots").nth(1).locator("li").all_inner_texts()
    tab.page.locator("button:has-text('Save')").press("Enter")
    tab.page.wait_for_url(f"**/jobs/{job}#schedule")

    after = next_slots(tab)
    assert after == previewed
    assert {slot[-5:] for slot in before} == {"22:00"}
    assert {slot[-5:] for slot in after[1:]} == {"20:15"}
    assert "pinned by the operator" in tab.page.inner_text("#schedule")


def test_what_a_browser_refuses_to_show_is_still_sent(tab: Tab) -> None:
    """Two parts of different kinds: fields that one of them hides keep their places."""
    job = a_daily_job()
    tab.page.goto(f"{tab.address}/jobs/{job}/schedule/edit")

    tab.page.click("text=Other days at other times")
    tab.page.wait_for_selector("#days-1")
    tab.page.select_option("#days-0", "workdays")
    tab.page.check("#weekdays-1-5")
    tab.page.select_option("#pace-1", "every")
    tab.page.fill("#every_minutes-1", "240")
    tab.page.click(".form-actions >> text=Preview")
    tab.page.wait_for_selector("text=Save this schedule?")

    assert "Mon–Fri at 22:00" in tab.page.inner_text(".compare")
    assert "Sat at 00:00, 04:00, 08:00, 12:00, 16:00 and 20:00" in tab.page.inner_text(".compare")
