from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from sqlalchemy import update

from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.jobs import JobRun
from tests.http_api.client import Browser
from tests.http_api.live import Tab, opened, served
from tests.http_api.run_checks_world import Made, a_job, open_runs
from tests.http_api.silence_world import SENDER, a_silence, ago, missed_runs

pytestmark = [pytest.mark.browser, pytest.mark.slow]
HEAD, MEMBERS = "tr[data-silence]", "tr[data-member]"
FAILED, WARNING = Status.FAILED, Status.WARNING


@pytest.fixture
def tab(app: FastAPI, operator: Browser) -> Iterator[Tab]:
    with served(app) as address, opened(address, operator) as found:
        yield found
        assert [words for words in found.trouble if "/mails/" not in words and "status of 422" not in words] == []


def go(tab: Tab) -> None:
    tab.page.goto(tab.address + "/run-checks")


def a_silent_sender(number: int) -> tuple[int, list[int]]:
    """Commit a sender that fell silent with so many jobs; return it and their missed runs."""
    silence = a_silence()
    return silence, [
        run_id
        for each in range(number)
        for run_id in missed_runs(a_job(name=f"Silent {each}").job_id, ago(minutes=10), silence_id=silence)
    ]


def visible_members(tab: Tab) -> list[str]:
    shown = tab.page.locator(f"{MEMBERS}:not([hidden]) .rc-job")
    return [words.strip() for words in shown.all_inner_texts()]


def current(tab: Tab) -> str:
    return tab.page.inner_text("tr.is-current .rc-job").strip()


def press(tab: Tab, *keys: str) -> None:
    for key in keys:
        tab.page.keyboard.press(key)


def figures(tab: Tab) -> str:
    return tab.page.inner_text("#rc-figures")


def test_a_silence_is_unfolded_looked_into_and_reviewed_with_the_keyboard_alone(tab: Tab) -> None:
    _, missed = a_silent_sender(3)
    warned = a_job(WARNING, name="Warned")
    go(tab)

    press(tab, "j")
    folded = visible_members(tab)
    press(tab, "Enter")
    unfolded = visible_members(tab)
    press(tab, "j", "j", "Enter")
    tab.page.wait_for_selector("#rc-panel h2:has-text('Silent 1')")
    press(tab, "Escape", "k", "k")
    head = current(tab)
    press(tab, "r", "1")
    tab.page.wait_for_selector("tr.is-current:has-text('Warned')")

    assert (folded, unfolded) == ([], ["Silent 0", "Silent 1", "Silent 2"])
    assert head == SENDER
    assert open_runs() == {warned.run_id}
    assert open_runs().isdisjoint(missed)
    assert tab.page.locator(f"{MEMBERS}.is-done").count() == 3
    assert figures(tab) == "1 job · 1 run to review"


def test_a_folded_silence_is_passed_over_by_j(tab: Tab) -> None:
    a_silent_sender(3)
    a_job(WARNING, name="Warned")
    go(tab)

    press(tab, "j", "j")

    assert current(tab) == "Warned"


def test_one_job_of_a_silence_is_reviewed_in_its_row_and_the_others_stay(tab: Tab) -> None:
    silence, missed = a_silent_sender(3)
    go(tab)

    press(tab, "j", "Enter", "j", "j", "r", "1")
    tab.page.wait_for_selector(f"{HEAD}:has-text('2 jobs of 2 customers')")

    assert open_runs() == {missed[0], missed[2]}
    assert visible_members(tab) == ["Silent 0", "Silent 1", "Silent 2"]
    assert tab.page.inner_text(f"{MEMBERS}.is-done .rc-job") == "Silent 1"
    assert current(tab) == "Silent 2"
    assert figures(tab) == "2 jobs · 2 runs to review"
    assert tab.page.locator(f"{HEAD}[data-item='s{silence}'] [aria-expanded=true]").count() == 1


def test_a_job_of_a_silence_is_reviewed_in_its_panel_with_its_other_runs(tab: Tab) -> None:
    silence = a_silence()
    job: Made = a_job(FAILED, name="Both")
    missed_runs(job.job_id, ago(minutes=10), silence_id=silence)
    (other,) = missed_runs(a_job(name="Only silent").job_id, ago(minutes=10), silence_id=silence)
    go(tab)

    press(tab, "j", "Enter")
    tab.page.wait_for_selector("#rc-panel h2:has-text('Both')")
    tab.page.wait_for_timeout(450)  # nobody reviews what he has not seen
    press(tab, "r", "1")
    tab.page.wait_for_selector(f"{HEAD}.is-current:has-text('1 job of 1 customer')")

    assert open_runs() == {other}
    assert not tab.page.is_visible("#rc-panel")


def test_a_silence_among_the_selected_is_reviewed_with_them(tab: Tab) -> None:
    a_silent_sender(2)
    a_job(WARNING, name="Warned")
    go(tab)

    tab.page.check("[data-select-all]")
    selected = tab.page.inner_text("[data-bulk-count]")
    press(tab, "r", "1")
    tab.page.wait_for_selector("text=Everything is reviewed.")

    assert selected == "2"
    assert open_runs() == set()


def test_an_open_page_notices_that_a_silence_grew(tab: Tab) -> None:
    silence, _ = a_silent_sender(2)
    tab.page.clock.install()
    go(tab)
    press(tab, "j", "Enter")
    missed_runs(a_job(name="Silent too").job_id, ago(minutes=5), silence_id=silence)

    tab.page.clock.fast_forward("01:01")
    tab.page.wait_for_selector(f"{HEAD} .rc-changed")
    tab.page.click(f"{HEAD} .rc-changed")
    tab.page.wait_for_selector(f"{HEAD}:has-text('3 jobs of 3 customers')")

    assert visible_members(tab) == ["Silent 0", "Silent 1", "Silent too"]
    assert figures(tab) == "3 jobs · 3 runs to review"


def test_runs_that_fold_into_a_silence_meanwhile_are_not_called_reviewed(tab: Tab) -> None:
    job = a_job(name="Falling silent")
    missed_runs(job.job_id, ago(minutes=10))
    tab.page.clock.install()
    go(tab)
    silence = a_silence()
    with transaction() as db:
        db.execute(update(JobRun).values(silence_id=silence))

    tab.page.clock.fast_forward("01:01")
    tab.page.wait_for_selector("#rc-news:not([hidden])")

    row = tab.page.locator(f"tr[data-job='{job.job_id}']")
    assert "changed" in row.inner_text()
    assert "is-done" not in (row.get_attribute("class") or "")


@pytest.mark.parametrize("width", [360, 768])
def test_a_silence_with_long_names_is_not_wider_than_the_window(width: int, app: FastAPI, operator: Browser) -> None:
    silence = a_silence(sender="x" * 80 + "@acme.example")
    name = "a name without any space " + "x" * 95
    job = a_job(customer=name, name=name)
    missed_runs(job.job_id, *(ago(minutes=number) for number in range(9, 0, -1)), silence_id=silence)
    with served(app) as address, opened(address, operator, width=width) as tab:
        widths = []
        for path in (f"/run-checks?silence={silence}", f"/run-checks?panel={job.job_id}"):
            tab.page.goto(address + path)
            widths.append(tab.page.evaluate("document.documentElement.scrollWidth"))

    assert widths == [width] * 2
