"""Reports of thousands of objects: every page stays small, the problems lead, and all of them can be reached."""

import re
from datetime import timedelta

import pytest

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.queries.objects import MOST_SHOWN
from tests import builders
from tests.http_api.client import Browser
from tests.http_api.inbox_world import came_in, night, run_of
from tests.http_api.lists import counted_statements, make_job, rows, text_of
from tests.mails import digest_mail, report_mail

MANY = 5_000
NAMES = [f"VM-{number:04}" for number in range(MANY)]
LARGEST_PAGE = 150_000  # bytes, uncompressed


def many(*, failed: int = 1, nights_ago: float = 1) -> int:
    """Let a report of 5,000 machines wait, of which the last ones failed; return the mail's id."""
    raw = report_mail(objects=NAMES, status="Failed", sent_at=night(nights_ago))
    for name in NAMES[MANY - failed :]:
        raw = raw.replace(f"{name}\tSuccess".encode(), f"{name}\tFailed".encode())
    return came_in(raw)


def known(browser: Browser, mail_id: int) -> int:
    """Give a waiting mail to a job and return its run."""
    browser.post(
        f"/inbox/{mail_id}/readings/{reading_id(browser, mail_id)}/approve", data={"customer": "Oak", "create": "1"}
    )
    return run_of(mail_id)


def reading_id(browser: Browser, mail_id: int) -> int:
    found = re.search(r"/readings/(\d+)/approve", browser.get(f"/inbox/{mail_id}").text)
    assert found
    return int(found[1])


def objects_page(mail_id: int, query: str = "", number: int = 0) -> str:
    return f"/mails/{mail_id}/readings/{number}/objects{query}"


@pytest.mark.parametrize("failed", [1, MANY])
def test_no_page_of_such_a_report_is_large(failed: int, operator: Browser) -> None:
    mail_id = many(failed=failed)
    waiting = operator.get(f"/inbox/{mail_id}")
    run_id = known(operator, mail_id)

    pages = [waiting, *(operator.get(path) for path in (f"/mails/{mail_id}", f"/runs/{run_id}", objects_page(mail_id)))]

    assert [page.status_code for page in pages] == [200] * 4
    assert max(len(page.content) for page in pages) < LARGEST_PAGE


def test_problems_lead_the_rest_is_folded_away_and_a_link_leads_to_all(operator: Browser) -> None:
    mail_id = many(failed=3)
    run_id = known(operator, mail_id)

    for page in (operator.get(f"/mails/{mail_id}").text, operator.get(f"/runs/{run_id}").text):
        shown, rest = page.split('<details class="fine-objects">')
        folded = rest.partition("</details>")[0]
        assert re.findall(r"VM-\d{4}", text_of(shown[shown.index("object-name") :])) == NAMES[-3:]
        assert len(set(re.findall(r"VM-\d{4}", folded))) == MOST_SHOWN
        assert "4,997 others" in text_of(folded)
        assert f'href="{objects_page(mail_id)}">All 5,000 objects</a>' in page
        assert f"the first {MOST_SHOWN} of 4,997 that went well." in text_of(page)


def test_where_all_went_wrong_the_first_problems_are_shown_and_all_are_counted(operator: Browser) -> None:
    mail_id = many(failed=MANY)
    run_id = known(operator, mail_id)

    page = operator.get(f"/runs/{run_id}").text

    assert "5,000 of 5,000 objects failed" in text_of(page)
    assert "fine-objects" not in page
    assert f"the first {MOST_SHOWN} of 5,000 problems." in text_of(page)


def test_a_report_that_fits_is_shown_whole_and_leads_nowhere(operator: Browser) -> None:
    page = operator.get(f"/mails/{came_in(report_mail(sent_at=night(1)))}").text

    assert "2 objects" in text_of(page)
    assert "/objects" not in page
    assert '<details class="fine-objects" open>' in page


def test_all_objects_are_listed_page_by_page_the_worst_first(viewer: Browser) -> None:
    mail_id = many(failed=2)

    first, last = viewer.get(objects_page(mail_id)), viewer.get(objects_page(mail_id, "?page=100"))

    assert "5,000 objects, 2 not good" in text_of(first.text)
    assert [row.split()[0] for row in rows(first)[:3]] == ["VM-4998", "VM-4999", "VM-0000"]
    assert (len(rows(first)), rows(last)[-1].split()[0]) == (50, "VM-4997")
    assert "4,951–5,000 of 5,000" in text_of(last.text)


def test_an_object_is_found_by_its_words(viewer: Browser) -> None:
    mail_id = many()

    assert [row.split()[0] for row in rows(viewer.get(objects_page(mail_id, "?q=vm-0123")))] == ["VM-0123"]
    assert "No object fits." in viewer.get(objects_page(mail_id, "?q=%25")).text


def test_each_report_of_a_digest_has_objects_of_its_own(viewer: Browser) -> None:
    mail_id = came_in(digest_mail(("One", "Success"), ("Two", "Failed")))

    assert "Objects of Two 2 objects, 1 not good" in text_of(viewer.get(objects_page(mail_id, number=1)).text)
    assert viewer.get(objects_page(mail_id, number=2)).status_code == 404
    assert viewer.get(objects_page(mail_id + 1)).status_code == 404


def test_objects_of_a_deleted_mail_are_for_administrators_only(operator: Browser, admin: Browser) -> None:
    mail_id = came_in(report_mail(sent_at=night(1)))
    operator.post(f"/inbox/{mail_id}/delete")

    assert operator.get(objects_page(mail_id)).status_code == 404
    assert admin.get(objects_page(mail_id)).status_code == 200


def test_five_thousand_objects_take_as_many_statements_as_two(viewer: Browser) -> None:
    counts = []
    for mail_id in (came_in(report_mail("Small", sent_at=night(1))), many()):
        with counted_statements() as asked:
            viewer.get(f"/mails/{mail_id}")
        counts.append(len(asked))

    assert counts[0] == counts[1]


@pytest.fixture
def vanished_run() -> int:
    """A run in which 120 machines are missing that five runs before it reported."""
    job_id = make_job("Nightly", None)
    with transaction() as db:
        for days_ago in range(6, 0, -1):
            gone = days_ago == 1
            run = builders.make_run(
                db,
                job_id,
                run_at=clock.now() - timedelta(days=days_ago),
                objects=["VM-LEFT", *([] if gone else NAMES[:120])],
                complete=True,
            )
        return run.id


def test_what_is_missing_is_counted_in_full_and_listed_page_by_page(operator: Browser, vanished_run: int) -> None:
    page = operator.get(f"/runs/{vanished_run}").text
    second = operator.get(f"/runs/{vanished_run}/vanished?page=2").text

    assert "120 objects no longer in the report" in text_of(page)
    assert page.count('class="finding"') == 20
    assert f'href="/runs/{vanished_run}/vanished">All 120 objects that are missing</a>' in page
    assert second.count('class="finding"') == 50
    assert "120 objects, 120 of them not confirmed" in text_of(second)
    assert "51–100 of 120" in text_of(second)


def test_one_that_is_confirmed_there_goes_behind_the_open_ones(operator: Browser, vanished_run: int) -> None:
    back = f"/runs/{vanished_run}/vanished"
    sent = {"name": NAMES[0], "reason": "retired", "back": back}

    answer = operator.post(f"/run-checks/runs/{vanished_run}/removed", data=sent)

    assert answer.headers["location"] == back
    assert "120 objects, 119 of them not confirmed" in text_of(operator.get(back).text)
    assert f"{NAMES[0]} VM removed on purpose, says the operator" in text_of(operator.get(f"{back}?page=3").text)


def test_a_run_of_which_nothing_is_missing_says_so(viewer: Browser) -> None:
    with transaction() as db:
        run_id = builders.make_run(db, status=Status.SUCCESS).id

    assert "Nothing is missing." in viewer.get(f"/runs/{run_id}/vanished").text
    assert viewer.get(f"/runs/{run_id + 1}/vanished").status_code == 404


def test_who_only_looks_finds_no_forms_there(viewer: Browser, vanished_run: int) -> None:
    assert "/removed" not in viewer.get(f"/runs/{vanished_run}/vanished").text


def test_many_new_names_are_told_in_short(operator: Browser, vanished_run: int) -> None:
    with transaction() as db:
        job_id = db.get_one(builders.JobRun, vanished_run).job_id
        now_again = builders.make_run(db, job_id, run_at=clock.now(), status=Status.FAILED, objects=NAMES[:500])

    page = text_of(operator.get(f"/runs/{now_again.id}").text)

    assert "VM-0018, VM-0019 and 100 others New since then VM-0120, VM-0121" in page
    assert "VM-0138, VM-0139 and 360 others" in page
