import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import select, text

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.users import WebSession
from tests.http_api.client import Browser
from tests.http_api.live import Tab, opened, served
from tests.http_api.run_checks_world import a_job, change_verdict, open_runs

pytestmark = [pytest.mark.browser, pytest.mark.slow]
ROWS = "tr[data-job]"
SUCCESS, WARNING, FAILED = Status.SUCCESS, Status.WARNING, Status.FAILED


@pytest.fixture
def address(app: FastAPI, clean_database: str) -> Iterator[str]:
    with served(app) as found:
        yield found


@pytest.fixture
def tab(address: str, operator: Browser) -> Iterator[Tab]:
    with opened(address, operator) as found:
        yield found
        # What the policy of our pages blocks is complained about here too.
        assert [words for words in found.trouble if "/mails/" not in words and "status of 422" not in words] == []


def go(tab: Tab, path: str = "/run-checks") -> None:
    tab.page.goto(tab.address + path)


def tops(tab: Tab) -> list[float]:
    found: list[float] = tab.page.eval_on_selector_all(ROWS, "rows => rows.map(row => row.getBoundingClientRect().top)")
    return found


def asked_for(tab: Tab) -> str:
    return str(tab.page.evaluate("location.search"))


def make_idle(how_long: str) -> None:
    with transaction() as db:
        db.execute(text(f"UPDATE web_sessions SET last_seen_at = now() - interval '{how_long}'"))


def idle_time() -> timedelta:
    with transaction() as db:
        return clock.now() - db.scalars(select(WebSession.last_seen_at)).one()


def current(tab: Tab) -> str:
    return tab.page.inner_text("tr.is-current .rc-job").strip()


def test_a_list_is_reviewed_to_the_empty_page_with_the_keyboard_alone(tab: Tab) -> None:
    a_job(FAILED, name="Broken", message="disk full")
    a_job(WARNING, name="Warned first")
    a_job(WARNING, name="Warned second")
    go(tab)

    tab.page.keyboard.press("j")
    tab.page.keyboard.press("r")
    tab.page.keyboard.press("2")
    tab.page.wait_for_selector("tr.is-current:has-text('Warned first')")
    tab.page.keyboard.press("x")
    tab.page.keyboard.press("j")
    tab.page.keyboard.press("x")
    tab.page.keyboard.press("r")

    tab.page.wait_for_selector("text=Everything is reviewed.")
    assert open_runs() == set()
    assert "Reviewed 2 runs." in tab.page.inner_text("#toasts")


def test_reviewed_rows_stay_where_they_are(tab: Tab) -> None:
    for number in range(6):
        a_job(WARNING, name=f"Job {number}")
    go(tab)
    before = tops(tab)

    tab.page.click("tr[data-job]:nth-child(2) [data-select]")
    tab.page.click("tr[data-job]:nth-child(4) [data-select]")
    selected = tops(tab)
    tab.page.click(".bulk-bar button:has-text('Reviewed')")
    tab.page.wait_for_selector("tr[data-job]:nth-child(4).is-done")

    assert selected == before
    assert tops(tab) == before
    assert current(tab) == "Job 4"
    assert tab.page.inner_text("#rc-figures") == "4 jobs · 4 runs to review"


def test_the_panel_steps_through_the_jobs_and_the_address_follows(tab: Tab) -> None:
    jobs = [a_job(FAILED, name=f"Job {number}") for number in range(3)]
    go(tab)
    rows = tops(tab)

    tab.page.keyboard.press("j")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_selector("#rc-panel h2:has-text('Job 0')")
    beside = tops(tab)
    tab.page.keyboard.press("ArrowDown")
    tab.page.wait_for_selector("#rc-panel h2:has-text('Job 1')")
    tab.page.keyboard.press("j")
    tab.page.wait_for_selector("#rc-panel h2:has-text('Job 2')")
    place, address = tab.page.inner_text("[data-panel-place]"), asked_for(tab)
    tab.page.keyboard.press("Escape")

    assert beside == rows
    assert place == "3 of 3"
    assert address == f"?panel={jobs[2].job_id}"
    assert asked_for(tab) == ""
    assert not tab.page.is_visible("#rc-panel")
    assert current(tab) == "Job 2"


def test_a_review_in_the_panel_goes_on_to_the_next_job(tab: Tab) -> None:
    first, second = a_job(WARNING, name="Job 0"), a_job(WARNING, name="Job 1")
    go(tab, f"/run-checks?panel={first.job_id}")

    tab.page.keyboard.press("r")
    tab.page.wait_for_selector("#rc-panel h2:has-text('Job 1')")

    assert open_runs() == {second.run_id}
    assert tab.page.inner_text("[data-panel-place]") == "2 of 2"


def test_one_click_on_a_reason_reviews_in_the_panel(tab: Tab) -> None:
    job = a_job(FAILED, FAILED, name="Job 0")
    a_job(FAILED, name="Job 1")
    go(tab, f"/run-checks?panel={job.job_id}")

    tab.page.click(".reason-chips button:has-text('One-off')")
    tab.page.wait_for_selector("#rc-panel h2:has-text('Job 1')")

    assert open_runs().isdisjoint(job.run_ids)


def test_a_double_click_on_a_reason_does_not_review_the_next_job_unseen(tab: Tab) -> None:
    first, second = a_job(FAILED, name="Job 0"), a_job(FAILED, name="Job 1")
    go(tab, f"/run-checks?panel={first.job_id}")
    chip = tab.page.locator(".reason-chips button:has-text('Known')").bounding_box()
    assert chip is not None

    for _ in range(4):
        tab.page.mouse.click(chip["x"] + 5, chip["y"] + 5, delay=20)
    tab.page.wait_for_selector("#rc-panel h2:has-text('Job 1')")
    tab.page.mouse.click(chip["x"] + 5, chip["y"] + 5)
    tab.page.wait_for_timeout(300)

    assert open_runs() == {second.run_id}


def test_only_one_run_is_reviewed_and_the_row_shows_what_is_left(tab: Tab) -> None:
    job = a_job(FAILED, WARNING)
    go(tab, f"/run-checks?panel={job.job_id}")

    tab.page.click("button:has-text('Only this run')")
    tab.page.wait_for_selector(f"tr[data-job] [data-select][value='{job.run_ids[0]}:1']")

    assert open_runs() == {job.run_ids[0]}
    assert tab.page.locator("tr[data-job] .rc-runs .status").count() == 1


def test_giving_up_on_the_reason_reviews_nothing(tab: Tab) -> None:
    job = a_job(FAILED)
    go(tab)

    tab.page.keyboard.press("j")
    tab.page.keyboard.press("r")
    tab.page.wait_for_selector("#reason-dialog[open]")
    tab.page.keyboard.press("Escape")

    assert not tab.page.is_visible("#reason-dialog")
    assert open_runs() == {job.run_id}


def test_a_run_that_changed_meanwhile_shows_in_its_row(tab: Tab) -> None:
    job = a_job(WARNING, WARNING)
    go(tab)
    change_verdict(job.run_id, FAILED)

    tab.page.keyboard.press("j")
    tab.page.keyboard.press("r")
    tab.page.wait_for_selector("tr[data-job] .status-failed")

    assert "1 run changed since you saw it and stays open." in tab.page.inner_text("#toasts")
    assert not tab.page.is_disabled("tr[data-job] [data-select]")


def test_u_undoes_the_last_review(tab: Tab) -> None:
    job = a_job(WARNING)
    a_job(WARNING, name="Other")
    go(tab)
    tab.page.keyboard.press("j")
    tab.page.keyboard.press("r")
    tab.page.wait_for_selector("tr.is-done")

    tab.page.keyboard.press("u")
    tab.page.wait_for_selector("text=1 run is to review again.")

    assert job.run_id in open_runs()


def test_an_open_page_marks_what_changed_and_counts_what_is_new(tab: Tab, admin: Browser) -> None:
    changed, gone = a_job(WARNING, name="Changing"), a_job(WARNING, name="Going")
    tab.page.clock.install()
    go(tab)
    before = tops(tab)
    change_verdict(changed.run_id, FAILED)
    a_job(FAILED, name="New")
    admin.post("/run-checks/review", data={"runs": gone.pairs})

    tab.page.clock.fast_forward("01:01")
    tab.page.wait_for_selector("#rc-news:not([hidden])")

    assert tab.page.inner_text("#rc-news") == "1 new Refresh"
    assert "changed" in tab.page.inner_text("tr[data-job]:has-text('Changing')")
    assert "is-done" in (tab.page.get_attribute("tr[data-job]:has-text('Going')", "class") or "")
    assert tops(tab) == before


def test_an_open_page_does_not_stay_signed_in_by_itself_and_says_when_it_is_not(tab: Tab) -> None:
    a_job(WARNING)
    tab.page.clock.install()
    go(tab, "/run-checks?q=nightly")
    make_idle("7 hours 50 minutes")

    with tab.page.expect_response("**/run-checks/state?*") as poll:
        tab.page.clock.fast_forward("01:01")
    assert poll.value.ok
    assert idle_time() > timedelta(hours=7, minutes=49)
    make_idle("8 hours 1 minute")
    tab.page.clock.fast_forward("01:01")
    tab.page.wait_for_selector("#toasts >> text=You are signed out.")
    tab.page.clock.fast_forward("05:00")

    assert tab.page.locator("#toasts .toast-note").count() == 1
    tab.page.click("#toasts >> text=Sign in")
    tab.page.wait_for_url("**/login?next=*")
    assert tab.page.input_value("[name=next]") == "/run-checks?q=nightly"
    tab.trouble = [words for words in tab.trouble if "status of 401" not in words]


def test_the_clean_ones_are_reviewed_with_one_click(tab: Tab) -> None:
    for number in range(3):
        a_job(SUCCESS, SUCCESS, name=f"Job {number}")
    bad = a_job(FAILED)
    go(tab)

    tab.page.click("button:has-text('Review 6')")
    tab.page.wait_for_selector(".rc-clean.is-done")

    assert open_runs() == {bad.run_id}
    assert re.sub(r"\s+", " ", tab.page.inner_text("#rc-figures")) == "1 job · 1 run to review"


def test_clean_rows_that_are_selected_one_by_one_lead_to_the_empty_page_too(tab: Tab) -> None:
    a_job(SUCCESS)
    a_job(WARNING)
    go(tab, "/run-checks?clean=1")

    tab.page.check("[data-select-all]")
    tab.page.keyboard.press("r")
    tab.page.wait_for_selector("text=Everything is reviewed.")

    assert open_runs() == set()


def test_the_list_narrows_while_somebody_types(tab: Tab) -> None:
    a_job(FAILED, name="Alpha")
    a_job(FAILED, name="Beta")
    go(tab)

    tab.page.keyboard.press("/")
    tab.page.keyboard.type("bet")
    tab.page.wait_for_selector("#rc-figures:has-text('1 job · 1 run')")

    assert tab.page.locator("tr[data-job]").count() == 1
    assert "q=bet" in asked_for(tab)
    assert tab.page.input_value("[data-search]") == "bet"


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_nothing_is_wider_than_the_window(width: int, address: str, operator: Browser) -> None:
    name = "a name without any space " + "x" * 95
    job = a_job(*[FAILED, WARNING, SUCCESS, Status.UNREADABLE] * 5, customer=name, name=name, message=name * 3)
    with opened(address, operator, width=width) as tab:
        widths = []
        for path in ("/run-checks", f"/run-checks?panel={job.job_id}", f"/runs/{job.run_id}"):
            go(tab, path)
            widths.append(tab.page.evaluate("document.documentElement.scrollWidth"))

    assert widths == [width] * 3
