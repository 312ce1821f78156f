from datetime import timedelta

import pytest
from fastapi import FastAPI
from sqlalchemy import select, update

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.audit import AuditEntry
from shared.models.jobs import Review
from tests.http_api.client import Browser, make_user
from tests.http_api.run_checks_world import a_job, a_run, change_verdict, open_runs, rows, text_of

SUCCESS, WARNING, FAILED, UNREADABLE = Status.SUCCESS, Status.WARNING, Status.FAILED, Status.UNREADABLE
SCRIPT = {"HX-Request": "true"}


@pytest.fixture
def anna(app: FastAPI, clean_database: str) -> Browser:
    make_user("Anna")
    return Browser(app).open_session_of("Anna")


@pytest.fixture
def ben(app: FastAPI, clean_database: str) -> Browser:
    make_user("Ben")
    return Browser(app).open_session_of("Ben")


def reviewed(browser: Browser, runs: str, reason: str = "") -> str:
    """Review without script and return what the next page says of it."""
    answer = browser.post("/run-checks/review", data={"runs": runs, "reason": reason})
    assert answer.status_code == 303
    return said(browser.get(answer.headers["location"]).text)


def said(page: str) -> str:
    return text_of(page[page.index('id="toasts"') :].partition("btn-close")[0].split(">", 1)[1])


def last_review() -> int:
    with transaction() as db:
        return db.scalars(select(Review.id).order_by(Review.id.desc())).first() or 0


def test_reviewed_runs_leave_the_list(anna: Browser) -> None:
    job, other = a_job(WARNING, SUCCESS), a_job(WARNING)

    words = reviewed(anna, job.pairs)

    assert words.startswith("Reviewed 2 runs.")
    assert open_runs() == set(other.run_ids)


def test_several_rows_are_reviewed_at_once(anna: Browser) -> None:
    first, second = a_job(WARNING), a_job(WARNING, WARNING)

    anna.post("/run-checks/review", data={"runs": [first.pairs, second.pairs]})

    assert open_runs() == set()


def test_a_run_that_arrives_after_the_page_stays_open_and_the_answer_says_so(anna: Browser) -> None:
    job = a_job(SUCCESS)
    arrived = a_run(job.job_id, FAILED)

    words = reviewed(anna, job.pairs)

    assert "Reviewed 1 run. 1 new run arrived meanwhile and stays open." in words
    assert open_runs() == {arrived}


def test_a_verdict_that_changed_after_the_page_stays_open_and_the_answer_says_so(anna: Browser) -> None:
    job = a_job(WARNING, WARNING)
    change_verdict(job.run_id, FAILED)

    words = reviewed(anna, job.pairs)

    assert "Reviewed 1 run. 1 run changed since you saw it and stays open." in words
    assert open_runs() == {job.run_id}


def test_runs_that_another_operator_reviewed_first_are_named(anna: Browser, ben: Browser) -> None:
    job = a_job(WARNING, WARNING, WARNING)
    reviewed(anna, ",".join(job.pairs.split(",")[:2]))

    words = reviewed(ben, job.pairs)

    assert "Reviewed 1 run. 2 were reviewed by Anna already." in words
    assert open_runs() == set()


def test_sending_a_review_twice_says_that_it_was_done(anna: Browser) -> None:
    job = a_job(WARNING)
    reviewed(anna, job.pairs)

    words = reviewed(anna, job.pairs)

    assert "Nothing was reviewed. 1 was reviewed by you already." in words


@pytest.mark.parametrize("status", [FAILED, UNREADABLE])
def test_a_bad_run_needs_a_reason_and_nothing_is_reviewed_without(status: Status, anna: Browser) -> None:
    job, fine = a_job(status, SUCCESS), a_job(WARNING)

    page = anna.post("/run-checks/review", data={"runs": [job.pairs, fine.pairs], "back": "/run-checks?q=x"})

    assert page.status_code == 422
    assert "Why is that all right?" in page.text
    assert open_runs() == {*job.run_ids, *fine.run_ids}


def test_the_page_that_asks_for_a_reason_carries_what_was_on_screen(anna: Browser) -> None:
    job = a_job(FAILED)

    page = anna.post("/run-checks/review", data={"runs": job.pairs, "back": "/run-checks?q=x"}).text

    assert page.count(f'name="runs" value="{job.pairs}"') == 2
    assert page.count('name="back" value="/run-checks?q=x"') == 2
    assert 'name="reason" value="One-off, no action"' in page
    assert "javascript" not in anna.post("/run-checks/review", data={"runs": job.pairs, "back": "javascript:x"}).text


@pytest.mark.parametrize("reason", ["Known, being worked on", "the disk is on its way  "])
def test_a_reason_by_click_or_in_own_words_is_kept_with_the_review(reason: str, anna: Browser) -> None:
    job = a_job(FAILED)

    reviewed(anna, job.pairs, reason)

    with transaction() as db:
        review = db.scalars(select(Review)).one()
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "runs.reviewed")).one()
    assert review.reason == reason.strip()
    assert entry.after == {"runs": [job.run_id], "reason": reason.strip()}
    assert entry.user_name == "Anna"


def test_a_blank_reason_is_none_and_an_endless_one_is_refused(anna: Browser) -> None:
    job = a_job(FAILED)

    answers = [
        anna.post("/run-checks/review", data={"runs": job.pairs, "reason": reason})
        for reason in ("  ", "\0", "x" * 301)
    ]

    assert [answer.status_code for answer in answers] == [422, 422, 422]
    assert open_runs() == {job.run_id}


def test_a_button_that_means_one_run_reviews_only_that_one(anna: Browser) -> None:
    job = a_job(WARNING, WARNING)

    anna.post("/run-checks/review", data={"runs": job.pairs, "only": f"{job.run_id}:1"})

    assert open_runs() == {job.run_ids[0]}


def test_the_runs_left_on_purpose_are_not_called_new(anna: Browser) -> None:
    job = a_job(WARNING, WARNING)

    answer = anna.post("/run-checks/review", data={"runs": job.pairs, "only": f"{job.run_id}:1"}, headers=SCRIPT)

    assert answer.json()["text"] == "Reviewed 1 run."


@pytest.mark.parametrize("runs", ["x", "1", "1:", ":1", "1:1;2:2", "1:1:1", "-1:1", f"{10**19}:1", "²:1"])
def test_what_says_no_runs_is_refused_in_words(runs: str, anna: Browser) -> None:
    answer = anna.post("/run-checks/review", data={"runs": runs})

    assert answer.status_code == 422
    assert "Reload it and try again." in answer.text


def test_reviewing_nothing_says_what_to_do(anna: Browser) -> None:
    a_job(WARNING)

    assert "Select at least one run first." in said(
        anna.get(anna.post("/run-checks/review", data={}).headers["location"]).text
    )


def test_the_form_returns_to_the_list_as_it_was_and_never_elsewhere(anna: Browser) -> None:
    job = a_job(WARNING)
    where = [
        anna.post("/run-checks/review", data={"runs": job.pairs, "back": back}).headers["location"]
        for back in ("/run-checks?status=warning", "//evil.example/", "https://evil.example/")
    ]

    assert where == ["/run-checks?status=warning", "/", "/"]


def test_a_review_without_the_token_changes_nothing(anna: Browser) -> None:
    job = a_job(WARNING)
    del anna.headers["X-CSRF-Token"]

    answer = anna.post("/run-checks/review", data={"runs": job.pairs})

    assert answer.status_code == 403
    assert open_runs() == {job.run_id}


def test_a_script_is_told_what_stays_open(anna: Browser) -> None:
    job = a_job(WARNING, WARNING)
    change_verdict(job.run_id, FAILED)

    answer = anna.post("/run-checks/review", data={"runs": job.pairs, "back": "/run-checks?q=n"}, headers=SCRIPT).json()

    assert answer["stays_open"] == [job.run_id]
    assert answer["undo"] == f"/run-checks/undo/{last_review()}?back=%2Frun-checks%3Fq%3Dn"


def test_a_script_is_told_that_a_reason_is_needed(anna: Browser) -> None:
    job = a_job(FAILED)

    answer = anna.post("/run-checks/review", data={"runs": job.pairs}, headers=SCRIPT)

    assert answer.status_code == 422
    assert "say why that is all right" in answer.json()["needs_reason"]


def test_five_thousand_runs_are_reviewed_in_one_request(anna: Browser) -> None:
    job = a_job(WARNING)
    unknown = ",".join(f"{number}:1" for number in range(10_000, 15_000))

    words = reviewed(anna, f"{unknown},{job.pairs}")

    assert "Reviewed 1 run. 5,000 runs changed since you saw it and stay open." in words


def test_an_undone_review_puts_the_runs_back_where_they_were(anna: Browser) -> None:
    job = a_job(FAILED, WARNING)
    reviewed(anna, job.pairs, "Known")

    answer = anna.post(f"/run-checks/undo/{last_review()}?back=/run-checks%3Fq%3Dnight")

    page = anna.get(answer.headers["location"])
    assert answer.headers["location"] == "/run-checks?q=night"
    assert "2 runs are to review again." in said(page.text)
    assert job.pairs in page.text


def test_the_answer_offers_to_undo(anna: Browser) -> None:
    job = a_job(WARNING)

    page = anna.get(anna.post("/run-checks/review", data={"runs": job.pairs}).headers["location"]).text

    assert f'action="/run-checks/undo/{last_review()}?back=%2Frun-checks"' in page


def test_a_review_is_undone_by_its_author_for_ten_minutes_and_by_an_administrator_always(
    anna: Browser, ben: Browser, admin: Browser
) -> None:
    job = a_job(WARNING)
    reviewed(anna, job.pairs)
    review = last_review()

    by_another = ben.post(f"/run-checks/undo/{review}")
    with transaction() as db:
        db.execute(update(Review).values(reviewed_at=clock.now() - timedelta(minutes=11)))
    too_late, by_admin, again = (each.post(f"/run-checks/undo/{review}") for each in (anna, admin, admin))

    assert [answer.status_code for answer in (by_another, too_late, by_admin, again)] == [403, 403, 303, 409]
    assert open_runs() == {job.run_id}
    assert "Ask an administrator." in too_late.text


def test_undoing_what_is_not_there_is_a_page_that_says_so(anna: Browser) -> None:
    assert anna.post("/run-checks/undo/999").status_code == 404


def test_a_list_is_reviewed_to_the_empty_page_without_script(anna: Browser) -> None:
    for status in (FAILED, WARNING, SUCCESS):
        a_job(status)
    page = anna.get("/run-checks")

    while "Everything is reviewed." not in page.text:
        runs = page.text.split('name="runs" value="', 1)[1].split('"')[0]
        reviewed(anna, runs, "Known")
        page = anna.get("/run-checks")

    assert rows(page) == []
    assert open_runs() == set()
