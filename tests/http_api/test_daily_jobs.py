"""The page of a day: who sees it, what it can be narrowed to, and what it says where there is nothing."""

import re
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest

from shared import clock
from shared.db.session import transaction
from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from tests import builders
from tests.http_api.client import Browser
from tests.http_api.lists import counted_statements, make_customer, make_job, make_run, rows, text_of
from tests.slot_builders import make_schedule, make_slot

PATH = "/daily-jobs"
DAY = date(2026, 3, 3)
OF_DAY = {"day": "2026-03-03"}


def today() -> date:
    return clock.now().astimezone(ZoneInfo("Europe/Amsterdam")).date()


def slot(
    job_id: int,
    day: date = DAY,
    hour: float = 22,
    *,
    state: SlotState = SlotState.EXPECTED,
    why: str = "",
    late: float = 0,
    status: Status | None = None,
) -> int | None:
    """Commit a slot, with a run of this status if there is one; return that one's id."""
    with transaction() as db:
        made = make_slot(db, job_id, day, hour, state=state, why=why)
        if status is None:
            return None
        run_at = made.slot_at + timedelta(hours=late)
        run = builders.make_run(db, job_id, status=status, run_at=run_at)
        made.state, made.run_id = SlotState.LATE if late else SlotState.ARRIVED, run.id
        return run.id


def a_day() -> None:
    """Commit the third of March: one of each."""
    oak, ash = make_customer("Oak"), make_customer("Ash")
    slot(make_job("Nightly", oak), status=Status.FAILED)
    slot(make_job("Files", oak), state=SlotState.MISSED)
    slot(make_job("Mailboxes", ash, software="Hyper"), status=Status.SUCCESS, late=3)
    slot(make_job("Archive", ash), state=SlotState.SKIPPED, why="closed: Outing")


def figures(page: str) -> dict[str, str]:
    found = re.findall(r"<dt>([^<]+)</dt><dd>(.*?)</dd>", page, re.DOTALL)
    return {label: text_of(value) for label, value in found}


def test_a_day_shows_its_jobs_worst_first_and_its_figures_on_top(viewer: Browser) -> None:
    a_day()

    answer = viewer.get(PATH, params=OF_DAY)

    assert [row.split()[1] for row in rows(answer)] == ["Nightly", "Files", "Mailboxes", "Archive"]
    assert figures(answer.text) == {
        "Expected": "3 of 4 jobs",
        "In time": "1",
        "Late": "1",
        "Missed": "1",
        "Not judged": "0",
        "To come": "0",
        "Skipped": "1 closed",
    }
    assert "Tuesday 3 March 2026" in text_of(answer.text)


def test_a_row_says_when_it_was_due_when_it_came_and_leads_on(viewer: Browser) -> None:
    job_id = make_job("Nightly", make_customer("Oak"))
    run_id = slot(job_id, status=Status.WARNING, late=3)

    answer = viewer.get(PATH, params=OF_DAY)

    [row] = rows(answer)
    assert "22:00 Wed 01:00" in row
    assert "Warning Came late" in row
    assert f'href="/jobs/{job_id}"' in answer.text
    assert f'href="/runs/{run_id}"' in answer.text
    assert viewer.get(f"/runs/{run_id}").status_code == 200


def test_a_job_with_many_slots_is_one_row_with_counts(viewer: Browser) -> None:
    job_id = make_job("Hourly")
    for hour in range(20):
        slot(job_id, hour=hour, status=Status.SUCCESS)
    slot(job_id, hour=20, state=SlotState.MISSED)

    [row] = rows(viewer.get(PATH, params=OF_DAY))

    assert "00:00 – 20:00 21×" in row
    assert "1 1 missed 20 20 success" in row


@pytest.mark.parametrize(
    "narrowed, left",
    [
        ({"q": "oak fil"}, ["Files"]),
        ({"software": "Hyper"}, ["Mailboxes"]),
        ({"state": "missed"}, ["Files"]),
        ({"state": "late"}, ["Mailboxes"]),
        (
            {"state": "nonsense", "customer": "-1", "sort": "x", "list": "y"},
            ["Nightly", "Files", "Mailboxes", "Archive"],
        ),
        ({"sort": "job"}, ["Archive", "Files", "Mailboxes", "Nightly"]),
        ({"sort": "-job", "page": "7"}, ["Nightly", "Mailboxes", "Files", "Archive"]),
    ],
)
def test_the_address_narrows_and_sorts(viewer: Browser, narrowed: dict[str, str], left: list[str]) -> None:
    a_day()

    answer = viewer.get(PATH, params=OF_DAY | narrowed)

    assert [row.split()[1] for row in rows(answer)] == left


def test_links_to_other_days_keep_what_it_is_narrowed_to(viewer: Browser) -> None:
    a_day()

    page = viewer.get(PATH, params=OF_DAY | {"q": "oak", "state": "missed"}).text

    assert 'rel="prev" href="/daily-jobs?day=2026-03-02&amp;q=oak&amp;state=missed"' in page
    assert 'rel="next" href="/daily-jobs?day=2026-03-04&amp;q=oak&amp;state=missed"' in page
    assert 'href="/daily-jobs?q=oak&amp;state=missed" data-key="t"' in page  # today needs no day
    assert 'href="/daily-jobs?day=2026-02-03&amp;q=oak&amp;state=missed" rel="nofollow"' in page


def test_the_last_day_of_a_long_month_leads_to_that_of_a_short_one(viewer: Browser) -> None:
    assert 'href="/daily-jobs?day=2026-02-28" rel="nofollow"' in viewer.get(PATH, params={"day": "2026-03-31"}).text
    assert 'href="/daily-jobs?day=2025-12-01" rel="nofollow"' in viewer.get(PATH, params={"day": "2026-01-01"}).text


def test_without_a_day_it_is_today_and_says_what_nobody_judged_lately(viewer: Browser) -> None:
    job_id = make_job("Nightly")
    before = clock.now() - timedelta(hours=1)
    with transaction() as db:
        skipped = make_slot(db, job_id, today(), state=SlotState.SKIPPED, why="paused: moves")
        skipped.early_from = skipped.slot_at = skipped.deadline = before

    page = text_of(viewer.get(PATH).text)

    assert ", today" in page
    assert "Not judged in the last 24 hours: 1 paused." in page
    assert len(rows(viewer.get(PATH))) == 1


def test_coming_days_are_expected_and_later_ones_are_too_far_ahead(viewer: Browser) -> None:
    job_id, tomorrow = make_job("Nightly"), today() + timedelta(days=1)
    slot(job_id, tomorrow)

    [row] = rows(viewer.get(PATH, params={"day": str(tomorrow)}))
    later = text_of(viewer.get(PATH, params={"day": str(today() + timedelta(days=9))}).text)

    assert "Expected" in row
    assert "Too far ahead." in later


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "20260303", "1500-01-01", "9999-12-31"])
def test_what_is_no_day_is_explained(viewer: Browser, day: str) -> None:
    answer = viewer.get(PATH, params={"day": day})

    assert answer.status_code == 422
    assert "Say which day as YYYY-MM-DD." in text_of(answer.text)


def test_an_empty_day_says_why_and_a_narrowed_one_how_to_widen_it(viewer: Browser) -> None:
    empty = text_of(viewer.get(PATH, params=OF_DAY).text)
    a_day()
    narrowed = viewer.get(PATH, params=OF_DAY | {"q": "nowhere"}).text

    assert "No run was expected on this day." in empty
    assert "No job fits." in text_of(narrowed)
    assert 'href="/daily-jobs?day=2026-03-03">Clear the filters' in narrowed


def test_runs_that_nobody_expected_have_lists_of_their_own(viewer: Browser) -> None:
    scheduled, irregular = make_job("Nightly"), make_job("Sometimes")
    with transaction() as db:
        make_schedule(db, scheduled, 22)
        make_schedule(db, irregular)
        noon = make_slot(db, scheduled, DAY, 12).slot_at
        for job_id in (scheduled, irregular):
            builders.make_run(db, job_id, status=Status.FAILED, run_at=noon)

    tabs = text_of(viewer.get(PATH, params=OF_DAY).text)
    [unexpected] = rows(viewer.get(PATH, params=OF_DAY | {"list": "unexpected"}))
    [unscheduled] = rows(viewer.get(PATH, params=OF_DAY | {"list": "unscheduled"}))

    assert "Expected 1 Ran, not expected 1 Without schedule 1" in tabs
    assert "Nightly" in unexpected
    assert "Sometimes" in unscheduled
    assert "12:00 Failed" in unscheduled


def test_the_month_says_of_each_day_how_many_runs_were_bad(viewer: Browser) -> None:
    a_day()

    page = viewer.get(PATH, params={"day": "2026-03-17"}).text

    said = "3 runs expected: 1 failed, 1 missed, 1 skipped"
    assert f'href="/daily-jobs?day=2026-03-03" title="Tue 3 Mar: {said}"' in page
    assert f"3 March: {said}" in text_of(page)
    assert re.search(r'heat-many"[^>]*>.*?heat-bad" aria-hidden="true">2<', page, re.DOTALL)
    assert page.count("heat-day ") == 31
    assert "17 March: nothing expected" in text_of(page)


def test_more_jobs_do_not_mean_more_questions_to_the_database(viewer: Browser) -> None:
    def asked() -> int:
        with counted_statements() as statements:
            assert viewer.get(PATH, params=OF_DAY).status_code == 200
        return len(statements)

    a_day()
    viewer.get(PATH, params=OF_DAY)
    few = asked()
    with transaction() as db:
        for number in range(60):
            make_slot(db, builders.make_job(db, f"Job {number}"), DAY)

    assert asked() == few
    assert len(rows(viewer.get(PATH, params=OF_DAY))) == 50
    assert len(rows(viewer.get(PATH, params=OF_DAY | {"page": "2"}))) == 14


def test_reporters_have_no_daily_jobs(reporter: Browser, operator: Browser) -> None:
    make_run(make_job())

    assert reporter.get(PATH).status_code == 403
    assert operator.get(PATH).status_code == 200
    assert 'href="/daily-jobs"' in operator.get("/jobs").text
