import re

import pytest

from functions.http_api.csrf import HEADER
from shared.domain.reading import Kind
from shared.domain.status import Status
from tests.http_api.client import Browser
from tests.http_api.lists import counted_statements, make_customer, make_job, make_run, rows, text_of


def names(browser: Browser, address: str) -> list[str]:
    return re.findall(r"data-open>([^<]+)</a></td>", browser.get(address).text)


def test_an_empty_list_says_how_jobs_begin(viewer: Browser) -> None:
    page = text_of(viewer.get("/jobs").text)

    assert "There are no jobs yet." in page
    assert "approves its first mail in the Inbox" in page


def test_the_list_has_the_jobs_of_active_customers_that_are_not_archived(viewer: Browser) -> None:
    make_job("Seen", make_customer("Oak"))
    make_job("In the archive", make_customer("Elm"), archived=True)
    make_job("Of a former customer", make_customer("Ash", active=False))

    assert names(viewer, "/jobs") == ["Seen"]


def test_the_jobs_of_one_customer_stand_under_its_name_until_the_filter_is_cleared(viewer: Browser) -> None:
    ash = make_customer("Ash & Sons", active=False)
    make_job("Of Ash", ash)
    make_job("Of Oak", make_customer("Oak"))

    page = viewer.get(f"/jobs?customer_id={ash}")

    assert re.findall(r"data-open>([^<]+)</a></td>", page.text) == ["Of Ash"]
    assert "Only jobs of Ash & Sons (inactive, so no other list shows them)" in text_of(page.text)
    assert '<a href="/jobs">Clear filter</a>' in page.text


def test_the_filter_of_a_customer_survives_searching_and_sorting(viewer: Browser) -> None:
    oak = make_customer("Oak")
    make_job("Nightly", oak)

    page = viewer.get(f"/jobs?customer_id={oak}&q=night").text

    assert f'<input type="hidden" name="customer_id" value="{oak}">' in page
    assert f"/jobs?customer_id={oak}&amp;q=night&amp;sort=-customer" in page


def test_a_customer_that_is_gone_is_said_so(viewer: Browser) -> None:
    answer = viewer.get("/jobs?customer_id=4711")

    assert (answer.status_code, "doesn't exist" in text_of(answer.text)) == (404, True)


@pytest.mark.parametrize("address", ["/jobs?customer_id=99999999999999999999", "/jobs/99999999999999999999", "/jobs/x"])
def test_an_id_that_cannot_be_one_is_refused_in_words(viewer: Browser, address: str) -> None:
    assert viewer.get(address).status_code == 422


def test_every_word_of_a_search_has_to_fit_somewhere(viewer: Browser) -> None:
    make_job("SQL nightly", make_customer("Oak"))
    make_job("Files nightly", make_customer("Elm"))

    assert names(viewer, "/jobs?q=oak+SQL") == ["SQL nightly"]
    assert names(viewer, "/jobs?q=nightly&software=Nothing") == []
    assert "No job fits." in viewer.get("/jobs?q=100%25%00").text


def test_the_worst_result_comes_first_when_sorted_by_it_backwards(viewer: Browser) -> None:
    oak = make_customer("Oak")
    for name, status in (("good", Status.SUCCESS), ("bad", Status.FAILED), ("odd", Status.WARNING)):
        make_run(make_job(name, oak), status)

    assert names(viewer, "/jobs?sort=-status") == ["bad", "odd", "good"]
    assert names(viewer, "/jobs?sort=nonsense") == ["bad", "good", "odd"]


def test_the_last_good_run_is_days_ago_and_red_after_a_week(viewer: Browser) -> None:
    oak = make_customer("Oak")
    for name, days in (("a fresh", 0), ("b week", 7), ("c old", 8)):
        make_run(make_job(name, oak), days_ago=days)
    make_run(make_job("d bad", oak), Status.FAILED)

    page = viewer.get("/jobs?sort=job")

    assert [row.split()[-2:] for row in rows(page)[1:3]] == [["7", "days"], ["8", "days"]]
    reds = re.findall(r'<span class="overlong"[^>]*>([^<]+)<', page.text)
    assert reds == ["8 days", "never"]


def test_a_warning_can_be_restored_from_and_so_is_the_last_good_run(viewer: Browser) -> None:
    job = make_job("Nightly", make_customer("Oak"))
    make_run(job, days_ago=20)
    make_run(job, Status.WARNING, days_ago=0)

    assert rows(viewer.get("/jobs"))[0].endswith("today")


@pytest.mark.parametrize("kind", [Kind.INFORMATIONAL, Kind.ALERT_ONLY])
def test_a_job_that_never_reports_success_is_not_called_overdue_for_it(viewer: Browser, kind: Kind) -> None:
    make_job("Alerts", make_customer("Oak"), kind=kind)

    assert "never</span>" not in viewer.get("/jobs").text


def test_names_are_text_and_never_markup(viewer: Browser) -> None:
    job = make_job("<script>alert(1)</script>", make_customer("<b>Oak</b>"), software="<i>Veeam</i>")
    make_run(job, Status.FAILED, objects=("<img src=x onerror=alert(1)>",))

    for address in ("/jobs", f"/jobs/{job}", "/not-protected"):
        page = viewer.get(address).text
        assert not re.search(r"<script>alert|<b>Oak|<i>Veeam|<img src=x", page), address


def test_fifty_jobs_make_a_page_and_a_page_past_the_end_is_the_last(viewer: Browser) -> None:
    oak = make_customer("Oak")
    for number in range(52):
        make_job(f"job {number:02}", oak)

    second = viewer.get("/jobs?sort=job&page=2")
    beyond = viewer.get("/jobs?sort=job&page=99")

    assert "51–52 of 52" in text_of(second.text)
    assert rows(second) == rows(beyond)
    assert [row.split()[2] for row in rows(second)] == ["50", "51"]


def statements_for(browser: Browser, address: str) -> int:
    with counted_statements() as asked:
        assert browser.get(address).status_code == 200
    return len(asked)


@pytest.mark.parametrize("address", ["/jobs", "/not-protected", "/manage/archived-jobs", "/jobs/{job}"])
def test_fifty_rows_take_as_many_statements_as_one(admin: Browser, address: str) -> None:
    oak = make_customer("Oak")
    job = make_job("first", oak)
    make_run(job, Status.FAILED)
    make_job("archived first", oak, archived=True)
    with_one = statements_for(admin, address.format(job=job))

    for number in range(49):
        make_run(make_job(f"job {number}", oak), Status.FAILED)
        make_run(job, Status.FAILED)
        make_job(f"archived {number}", oak, archived=True)

    assert statements_for(admin, address.format(job=job)) == with_one
    assert len(rows(admin.get(address.format(job=job)))) == 50


def test_a_reporter_sees_no_jobs(reporter: Browser) -> None:
    assert [reporter.get(path).status_code for path in ("/jobs", "/not-protected", "/jobs/1")] == [403, 403, 403]


def test_a_change_needs_the_token(operator: Browser) -> None:
    job = make_job()
    del operator.headers[HEADER]

    assert operator.post(f"/jobs/{job}/archive").status_code == 403
