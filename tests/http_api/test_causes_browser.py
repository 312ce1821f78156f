"""Causes in a real browser, with the keyboard alone."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.services.audit import Actor
from shared.services.review_runs import review_runs
from tests.builders import make_user
from tests.http_api.client import Browser
from tests.http_api.live import Tab, opened, served
from tests.http_api.run_checks_world import Made, a_job, a_run, open_runs

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HEAD, MEMBERS = "tr[data-cause]", "tr[data-member]"
FAILED, WARNING = Status.FAILED, Status.WARNING


@pytest.fixture
def tab(app: FastAPI, operator: Browser) -> Iterator[Tab]:
    with served(app) as address, opened(address, operator) as found:
        yield found
        assert [words for words in found.trouble if "/mails/" not in words and "status of 422" not in words] == []


def full_disks(number: int) -> list[Made]:
    return [a_job(FAILED, name=f"Full {each}", message=f"Disk full: {each} GB left") for each in range(number)]


def go(tab: Tab, path: str = "/run-checks?causes=1") -> None:
    tab.page.goto(tab.address + path)


def press(tab: Tab, *keys: str) -> None:
    for key in keys:
        tab.page.keyboard.press(key)


def visible_members(tab: Tab) -> list[str]:
    shown = tab.page.locator(f"{MEMBERS}:not([hidden]) .rc-job")
    return [words.strip() for words in shown.all_inner_texts()]


def current(tab: Tab) -> str:
    return tab.page.inner_text("tr.is-current .rc-job").strip()


def figures(tab: Tab) -> str:
    return tab.page.inner_text("#rc-figures")


def look_again(tab: Tab) -> None:
    with tab.page.expect_response("**/run-checks/state*"):
        tab.page.clock.fast_forward("01:01")


def reviewed_by_another(*jobs: Made) -> None:
    with transaction() as db:
        actor: Actor = make_user(db)
        seen = [(run_id, 1) for job in jobs for run_id in job.run_ids]
        review_runs(db, seen, actor=actor, reason="Known", now=clock.now())


def test_causes_are_grouped_unfolded_and_reviewed_until_nothing_is_left(tab: Tab) -> None:
    full_disks(3)
    a_job(WARNING, name="Slow", message="Slow")
    go(tab, "/run-checks")

    press(tab, "g")
    tab.page.wait_for_selector(HEAD)
    asked = str(tab.page.evaluate("location.search"))
    press(tab, "j")
    head, folded = current(tab), visible_members(tab)
    press(tab, "Enter")
    unfolded = visible_members(tab)
    press(tab, "r", "1")
    tab.page.wait_for_selector("tr.is-current:has-text('Slow')")
    left = figures(tab)
    press(tab, "r")
    tab.page.wait_for_selector("text=Everything is reviewed.")

    assert "causes=1" in asked
    assert head.startswith("3 jobs of 3 customers")
    assert (folded, unfolded) == ([], ["Full 0", "Full 1", "Full 2"])
    assert left == "1 job · 1 run to review"
    assert open_runs() == set()
    assert tab.page.is_checked("#rc-causes")


def test_the_box_is_as_it_was_on_the_next_visit_and_emptied_for_good(tab: Tab) -> None:
    full_disks(2)
    go(tab, "/run-checks")
    press(tab, "g")
    tab.page.wait_for_selector(HEAD)

    go(tab, "/run-checks")
    on_next_visit = tab.page.is_checked("#rc-causes")
    press(tab, "g")
    tab.page.wait_for_selector(HEAD, state="detached")
    go(tab, "/run-checks")

    assert on_next_visit
    assert not tab.page.is_checked("#rc-causes")
    assert tab.page.locator(HEAD).count() == 0


def test_one_job_of_a_cause_is_reviewed_in_its_panel_and_the_others_stay(tab: Tab) -> None:
    jobs = full_disks(3)
    go(tab)

    press(tab, "j", "Enter", "j", "j", "Enter")
    tab.page.wait_for_selector("#rc-panel h2:has-text('Full 1')")
    tab.page.wait_for_timeout(450)  # nobody reviews what he has not seen
    press(tab, "r", "1")
    tab.page.wait_for_selector(f"{HEAD}:has-text('2 jobs of 2 customers')")

    assert open_runs() == {jobs[0].run_id, jobs[2].run_id}
    assert tab.page.inner_text(f"{MEMBERS}.is-done .rc-job") == "Full 1"
    assert figures(tab) == "2 jobs · 2 runs to review"


def test_a_selected_cause_and_a_job_beside_it_are_reviewed_as_one(tab: Tab) -> None:
    full_disks(2)
    a_job(WARNING, name="Slow", message="Slow")
    go(tab)

    press(tab, "j", "x", "j", "x")
    selected = tab.page.inner_text("[data-bulk-count]")
    press(tab, "r", "1")
    tab.page.wait_for_selector("text=Everything is reviewed.")

    assert selected == "2"
    assert open_runs() == set()


def test_a_ticket_for_a_cause_asks_for_each_customer(tab: Tab) -> None:
    full_disks(2)
    go(tab)

    press(tab, "j", "t")
    tab.page.wait_for_selector("#asked[open]")

    assert tab.page.locator("#asked input[name^=code-]").count() == 2


def test_a_job_that_joins_a_cause_meanwhile_is_told_as_new_only_where_it_was_not_on_screen(tab: Tab) -> None:
    full_disks(1)
    lonely = a_job(FAILED, name="Lonely", message="Access is denied")
    tab.page.clock.install()
    go(tab)

    a_job(FAILED, name="Another", message="Access is denied")
    look_again(tab)
    tab.page.wait_for_selector("#rc-news:has-text('1 new')")

    row = tab.page.locator(f"tr[data-job='{lonely.job_id}']")
    assert tab.page.locator(".rc-changed").count() == 0
    assert "is-done" not in (row.get_attribute("class") or "")
    assert figures(tab) == "3 jobs · 3 runs to review"


def test_the_last_job_of_a_cause_stays_when_another_operator_reviews_the_others(tab: Tab) -> None:
    jobs = full_disks(2)
    tab.page.clock.install()
    go(tab)
    reviewed_by_another(jobs[0])

    look_again(tab)
    tab.page.click(f"{HEAD} .rc-changed")
    tab.page.wait_for_selector(f"{HEAD}:has-text('1 job of')")
    look_again(tab)

    assert "is-done" not in (tab.page.locator(HEAD).get_attribute("class") or "")
    assert tab.page.locator(".rc-changed").count() == 0
    assert tab.page.is_hidden("#rc-news")
    assert figures(tab) == "1 job · 1 run to review"


def test_a_run_that_comes_meanwhile_marks_its_cause_as_changed_and_is_not_reviewed_with_it(tab: Tab) -> None:
    jobs = full_disks(2)
    tab.page.clock.install()
    go(tab)
    late = a_run(jobs[0].job_id, FAILED, message="Disk full: 7 GB left")

    look_again(tab)
    tab.page.wait_for_selector(f"{HEAD} .rc-changed")
    press(tab, "j", "r", "1")
    tab.page.wait_for_selector(f"{HEAD}:has-text('1 job of')")

    assert open_runs() == {late}


def test_a_job_that_joined_a_cause_stands_under_it_and_nowhere_else(tab: Tab) -> None:
    jobs = full_disks(2)
    lonely = a_job(FAILED, name="Lonely", message="Access is denied")
    tab.page.clock.install()
    go(tab)
    a_run(lonely.job_id, FAILED, message="Disk full: 9 GB left")
    a_run(jobs[0].job_id, WARNING, message="Slow")

    look_again(tab)
    tab.page.click(f"{HEAD} .rc-changed")
    tab.page.wait_for_selector(f"{HEAD}:has-text('3 jobs of 3 customers')")

    assert tab.page.locator(f"tr[data-job='{lonely.job_id}']").count() == 1
    assert figures(tab) == "3 jobs · 5 runs to review"


@pytest.mark.parametrize("width", [360, 768])
def test_a_cause_of_many_words_is_not_wider_than_the_window(width: int, app: FastAPI, operator: Browser) -> None:
    for name in ("One", "Two"):
        a_job(FAILED, name=name, message="x" * 120 + " something without any space " * 5)
    with served(app) as address, opened(address, operator, width=width) as tab:
        go(tab)
        shown = tab.page.evaluate("document.documentElement.scrollWidth")

    assert shown == width
