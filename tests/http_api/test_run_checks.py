from datetime import timedelta

import pytest
from sqlalchemy import update

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.customers import Customer
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import a_job, a_run, counted_statements, rows, text_of

SUCCESS, WARNING, FAILED, UNREADABLE = Status.SUCCESS, Status.WARNING, Status.FAILED, Status.UNREADABLE


def test_a_job_is_one_row_with_its_runs_and_the_reason_of_the_worst(operator: Browser) -> None:
    a_job(SUCCESS, FAILED, WARNING, FAILED, customer="Acme BV", name="Nightly VMs", message="SQL01: disk full")

    page = operator.get("/run-checks")

    assert [row for row in rows(page) if "Acme BV Nightly VMs Veeam Backup job 2 2 failed 1 1 warning" in row] != []
    assert "SQL01: disk full" in rows(page)[0]
    assert "1 job · 4 runs to review" in text_of(page.text)


def test_the_worst_job_comes_first_and_of_two_the_one_that_is_still_bad(operator: Browser) -> None:
    a_job(WARNING, customer="Warned")
    a_job(FAILED, SUCCESS, customer="Mended")
    a_job(UNREADABLE, customer="Unread")
    a_job(SUCCESS, FAILED, customer="Broken")

    found = rows(operator.get("/run-checks"))

    assert [row.split()[0] for row in found] == ["Broken", "Mended", "Unread", "Warned"]


def test_clean_successes_are_one_line_until_somebody_asks_for_them(operator: Browser) -> None:
    clean = a_job(SUCCESS, SUCCESS, customer="Quiet BV")

    collapsed, expanded = operator.get("/run-checks"), operator.get("/run-checks?clean=1")

    assert rows(collapsed) == []
    assert "1 job ran clean · 2 runs" in text_of(collapsed.text)
    assert f'name="runs" value="{clean.pairs}"' in collapsed.text
    assert "Quiet BV" in rows(expanded)[0]


def test_a_success_among_failures_is_not_clean(operator: Browser) -> None:
    a_job(FAILED, SUCCESS)

    page = operator.get("/run-checks")

    assert "ran clean" not in page.text
    assert len(rows(page)) == 1


def test_a_checkbox_carries_exactly_the_runs_on_screen_and_no_browser_remembers_it(operator: Browser) -> None:
    job = a_job(FAILED, WARNING)

    row = operator.get("/run-checks").text

    box = row[row.index('type="checkbox" form="review"') :].split(">")[0]
    assert f'value="{job.pairs}"' in box
    assert 'autocomplete="off"' in box
    boxes = [piece.split(">")[0] for piece in row.split('type="checkbox"')[1:]]
    assert all('autocomplete="off"' in box for box in boxes)


@pytest.mark.parametrize(
    "query", ["customer={acme}", "status=failed", "software=Veeam", "q=acme", "q=DISK+full", "q=nightly+acme"]
)
def test_a_filter_in_the_address_narrows_the_list(query: str, operator: Browser) -> None:
    job = a_job(FAILED, SUCCESS, customer="Acme BV", message="disk full")
    a_job(WARNING, customer="Bakker", name="Weekly", software="Synology", message="slow")
    customer = operator.get("/run-checks").text.split(">Acme BV</option>")[0].rsplit('value="', 1)[1].split('"')[0]

    page = operator.get("/run-checks?" + query.format(acme=customer))

    assert [row.split()[0] for row in rows(page)] == ["Acme"]
    assert job.pairs in page.text  # with all its runs, also those that do not fit


@pytest.mark.parametrize(
    "query",
    ["status=rotten", "customer=x", "customer=-1", f"customer={10**30}", "q=%00%27", "panel=", "run=%C2%B2", "clean=2"],
)
def test_a_mistyped_address_shows_the_list(query: str, operator: Browser) -> None:
    a_job(FAILED, customer="Acme BV")

    assert operator.get(f"/run-checks?{query}").status_code == 200


def test_percent_signs_and_underscores_are_searched_as_they_are(operator: Browser) -> None:
    a_job(FAILED, name="full_backup")
    a_job(FAILED, name="fullXbackup")

    found = rows(operator.get("/run-checks?q=full_backup"))

    assert len(found) == 1


def test_nothing_that_fits_says_so_and_shows_the_way_back(operator: Browser) -> None:
    a_job(FAILED)

    page = operator.get("/run-checks?q=nobody")

    assert "No job fits" in page.text
    assert 'href="/run-checks">Show all' in page.text


def test_the_empty_page_tells_who_finished_and_where_to_go(operator: Browser) -> None:
    job = a_job(WARNING, WARNING)
    operator.post("/run-checks/review", data={"runs": job.pairs})

    page = operator.get("/run-checks")

    assert "Everything is reviewed." in page.text
    assert "2 runs reviewed today by the operator, the last at" in text_of(page.text)
    assert 'href="/not-protected"' in page.text


def test_the_empty_page_of_a_quiet_day_claims_no_review(operator: Browser) -> None:
    page = operator.get("/run-checks")

    assert "Nothing had to be reviewed today so far" in page.text


def test_inactive_customers_and_archived_jobs_are_not_shown(operator: Browser) -> None:
    a_job(FAILED, customer="Gone BV")
    with transaction() as db:
        db.execute(update(Customer).values(active=False))

    page = operator.get("/run-checks")

    assert "Everything is reviewed." in page.text


def test_hostile_words_are_shown_as_words(operator: Browser) -> None:
    evil = "<img src=x onerror=alert(1)>\"'"
    job = a_job(FAILED, customer=evil, name=evil, message=evil, software=evil)

    pages = [operator.get("/run-checks"), operator.get(f"/run-checks?panel={job.job_id}&q=%3Cimg")]

    assert all(page.status_code == 200 and "<img" not in page.text for page in pages)


def test_names_of_120_characters_are_shown_whole_on_hover(operator: Browser) -> None:
    name = "x" * 120
    a_job(FAILED, customer=name, name=name)

    page = operator.get("/run-checks")

    assert page.text.count(f'title="{name}"') >= 2


def test_only_administrators_see_what_was_reviewed_today(operator: Browser, admin: Browser) -> None:
    job = a_job(FAILED, customer="Seen BV")
    operator.post("/run-checks/review", data={"runs": job.pairs, "reason": "Known"})

    mine, theirs = operator.get("/run-checks?reviewed=1"), admin.get("/run-checks?reviewed=1")

    assert rows(mine) == []
    assert "Seen BV" in rows(theirs)[0]
    assert "disabled" in theirs.text[theirs.text.index('type="checkbox" form="review"') :].split(">")[0]
    assert "Reviewed today too" not in mine.text


@pytest.mark.parametrize("role", ["viewer", "reporter"])
def test_who_only_looks_things_up_has_no_run_checks(role: str, request: pytest.FixtureRequest) -> None:
    browser: Browser = request.getfixturevalue(role)

    answers = [browser.get("/run-checks"), browser.post("/run-checks/review", data={"runs": "1:1"})]

    assert [answer.status_code for answer in answers] == [403, 403]


def test_the_page_asks_the_database_as_often_for_fifty_jobs_as_for_one(operator: Browser) -> None:
    a_job(FAILED, WARNING)
    with counted_statements() as for_one:
        operator.get("/run-checks?clean=1")
    for number in range(49):
        a_job(FAILED if number % 2 else SUCCESS, name=f"Job {number}")

    with counted_statements() as for_fifty:
        page = operator.get("/run-checks?clean=1")

    assert len(rows(page)) == 50
    assert len(for_fifty) == len(for_one)


def test_beyond_a_thousand_jobs_the_page_says_how_many_there_are(
    operator: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.queries.run_checks.MOST_ROWS", 2)
    for number in range(3):
        a_job(FAILED, FAILED, name=f"Job {number}")

    page = operator.get("/run-checks")

    assert len(rows(page)) == 2
    assert "3 jobs · 6 runs to review" in text_of(page.text)
    assert "2 of 3 jobs are shown, the worst first." in text_of(page.text)


def test_an_open_page_can_ask_what_waits_now(operator: Browser) -> None:
    job = a_job(FAILED, WARNING)

    state = operator.get("/run-checks/state").json()

    assert state == {"jobs": 1, "runs": 2, "rows": {str(job.job_id): job.pairs}, "cut": False}


def test_one_row_can_be_fetched_as_it_is_now(operator: Browser) -> None:
    job = a_job(FAILED, customer="Acme BV")
    newer = a_run(job.job_id, WARNING, clock.now() + timedelta(minutes=1))

    row = operator.get(f"/run-checks/jobs/{job.job_id}/row?status=success").text

    assert f'value="{newer}:1,{job.run_id}:1"' in row
    assert "<html" not in row
