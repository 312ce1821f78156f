from datetime import datetime

import pytest

from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.system import ImportCycle
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import a_job, rows, text_of
from tests.http_api.silence_world import ago, held, said

pytestmark = pytest.mark.usefixtures("one_moment")

SUCCESS, WARNING, FAILED = Status.SUCCESS, Status.WARNING, Status.FAILED


def test_slots_that_are_not_judged_show_on_the_row_and_keep_it_from_being_clean(operator: Browser) -> None:
    job = a_job(SUCCESS)
    held(job.job_id, ago(hours=2), ago(minutes=40))

    page = operator.get("/run-checks")

    assert "2 Not judged" in rows(page)[0]
    assert "2 not judged: the mails of that time are not in yet" in rows(page)[0]
    assert "ran clean" not in page.text


def test_the_head_says_since_when_nothing_can_be_judged(operator: Browser, admin: Browser) -> None:
    job = a_job(FAILED)
    held(job.job_id, ago(minutes=40))
    never = text_of(operator.get("/run-checks").text)
    with transaction() as db:
        db.add(_read(ago(hours=1)))

    page = operator.get("/run-checks").text

    assert "1 job not judged: the mail folder has never been read to its end" in never
    assert f"1 job not judged: the mail folder has not been read since {said(ago(hours=1))}" in text_of(page)
    assert 'href="/manage/pipeline">Details' not in page[page.index("rc-held") :]
    assert 'href="/manage/pipeline">Details' in admin.get("/run-checks").text


def test_the_head_blames_no_outage_once_mails_are_in_beyond_the_slots(operator: Browser) -> None:
    held(a_job().job_id, ago(minutes=40))
    with transaction() as db:
        db.add(_read(ago(minutes=1)))

    page = text_of(operator.get("/run-checks").text)

    assert "1 job not judged: it is not known yet whether all of their mails are in" in page


def test_the_empty_page_does_not_say_that_all_is_fine_while_slots_are_not_judged(operator: Browser) -> None:
    job = a_job()
    held(job.job_id, ago(minutes=40))

    page = operator.get("/run-checks").text

    assert "Everything that could be judged is reviewed; 1 job is not judged yet." in page
    assert "Everything is reviewed." not in page


def test_slots_beyond_the_look_back_are_given_up(operator: Browser) -> None:
    job = a_job()
    held(job.job_id, ago(days=15))

    assert "Everything is reviewed." in operator.get("/run-checks").text


def _read(at: datetime) -> ImportCycle:
    return ImportCycle(source="folder", trigger="timer", started_at=at, finished_at=at, complete=True)
