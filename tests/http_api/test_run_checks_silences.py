from datetime import timedelta

import pytest
from sqlalchemy import update

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.jobs import Job
from shared.models.schedules import SilentSource
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import Made, a_job, a_run, counted_statements, open_runs, rows, text_of
from tests.http_api.silence_world import SENDER, a_silence, ago, held, make_history, missed_runs, said

SUCCESS, WARNING, FAILED = Status.SUCCESS, Status.WARNING, Status.FAILED


def silent_jobs(silence_id: int, number: int) -> list[tuple[Made, int]]:
    """Commit jobs of customers of their own, each with one missed run of the silence; the last good run is reviewed."""
    found = []
    for each in range(number):
        job = a_job(SUCCESS, name=f"Silent {each}", customer=f"Customer {each:02}")
        make_history(job.run_ids)
        (run_id,) = missed_runs(job.job_id, ago(minutes=10), silence_id=silence_id)
        found.append((job, run_id))
    return found


def test_jobs_of_a_silent_sender_are_one_row(operator: Browser) -> None:
    began = ago(days=1)
    silence = a_silence(began_at=began)
    jobs = silent_jobs(silence, 12)

    page = operator.get("/run-checks")

    head, *members = rows(page)
    assert head.startswith(f"Silent sender {SENDER} 12 jobs 12 Missed")
    assert f"12 jobs of 12 customers missed since {said(began)}" in head
    assert len(members) == len(jobs)
    assert "12 jobs · 12 runs to review" in text_of(page.text)
    assert page.text.count(" hidden class=") == 12
    assert operator.get(f"/run-checks?silence={silence}").text.count(" hidden class=") == 0


def test_a_silent_customer_says_how_many_of_his_jobs_are_silent(operator: Browser) -> None:
    job = a_job(SUCCESS, customer="Acme BV")
    make_history(job.run_ids)
    missed_runs(job.job_id, ago(minutes=10), silence_id=a_silence(customer_id=_customer_of(job)))

    head = rows(operator.get("/run-checks"))[0]

    assert head.startswith("Silent customer Acme BV 1 job 1 Missed")
    assert "1 of 1 job missed since" in head


def test_a_silence_is_reviewed_as_one_and_leaves_nothing(operator: Browser) -> None:
    jobs = silent_jobs(a_silence(), 3)
    all_pairs = _checkbox(operator.get("/run-checks").text)

    answer = operator.post("/run-checks/review", data={"runs": all_pairs, "reason": "Mail server moved"})

    assert {int(pair.split(":")[0]) for pair in all_pairs.split(",")} == {run_id for _, run_id in jobs}
    assert answer.status_code == 303
    assert open_runs() == {job.run_id for job, _ in jobs}  # history, which needs no review
    assert "Everything is reviewed." in operator.get("/run-checks").text


def test_a_silence_without_a_reason_is_not_reviewed(operator: Browser) -> None:
    silent_jobs(a_silence(), 3)
    before = open_runs()

    answer = operator.post("/run-checks/review", data={"runs": _checkbox(operator.get("/run-checks").text)})

    assert answer.status_code == 422
    assert open_runs() == before


def test_a_job_of_a_silence_keeps_its_own_row_for_its_other_runs(operator: Browser) -> None:
    job = a_job(SUCCESS, FAILED, customer="Acme BV", message="disk full")
    silence = a_silence()
    (run_id,) = missed_runs(job.job_id, ago(minutes=10), silence_id=silence)

    page = operator.get("/run-checks")

    own, head, member = rows(page)
    assert "Acme BV Nightly" in own
    assert "disk full" in own
    assert "Missed" not in own
    assert "1 job of 1 customer" in head
    assert "no report since" in member
    assert "1 job · 3 runs to review" in text_of(page.text)
    assert operator.get("/run-checks/state").json()["rows"] == {
        str(job.job_id): job.pairs,
        f"s{silence}": f"{run_id}:1",
    }


def test_a_clean_run_of_a_silent_job_is_not_called_clean(operator: Browser) -> None:
    job = a_job(SUCCESS)
    missed_runs(job.job_id, ago(minutes=10), silence_id=a_silence())

    assert "ran clean" not in operator.get("/run-checks").text


def test_reviewing_the_silence_calls_the_jobs_other_runs_not_new(operator: Browser) -> None:
    job = a_job(FAILED)
    (run_id,) = missed_runs(job.job_id, ago(minutes=10), silence_id=a_silence())

    answer = operator.post(
        "/run-checks/review", data={"runs": f"{run_id}:1", "reason": "Known"}, headers={"HX-Request": "true"}
    )

    assert answer.json()["text"] == "Reviewed 1 run."


def test_a_silence_that_is_over_says_so(operator: Browser) -> None:
    silence = a_silence()
    silent_jobs(silence, 2)
    ended = ago(minutes=3)
    with transaction() as db:
        db.execute(update(SilentSource).values(ended_at=ended))

    assert f"came again {said(ended)}" in rows(operator.get("/run-checks"))[0]


def test_one_silence_can_be_fetched_as_it_is_now(operator: Browser) -> None:
    silence = a_silence()
    jobs = silent_jobs(silence, 3)
    operator.post("/run-checks/review", data={"runs": f"{jobs[0][1]}:1", "reason": "Known"})

    row = operator.get(f"/run-checks/silences/{silence}/row")

    assert len(rows(row)) == 3
    assert "2 jobs of 2 customers" in rows(row)[0]
    assert operator.get("/run-checks/silences/999/row").text.strip() == ""


def test_one_row_of_a_silent_job_shows_its_other_runs_only(operator: Browser) -> None:
    job = a_job(FAILED)
    missed_runs(job.job_id, ago(minutes=10), silence_id=a_silence())

    (row,) = rows(operator.get(f"/run-checks/jobs/{job.job_id}/row"))

    assert "Missed" not in row


@pytest.mark.parametrize("address", ["silence=x", "silence=-1", "silence=999"])
def test_a_silence_that_is_not_there_shows_the_list(address: str, operator: Browser) -> None:
    a_job(FAILED)

    assert len(rows(operator.get(f"/run-checks?{address}"))) == 1


def test_the_page_asks_as_often_for_fifty_silent_jobs_as_for_two(operator: Browser) -> None:
    silence = a_silence()
    silent_jobs(silence, 2)
    with counted_statements() as for_two:
        operator.get("/run-checks")
    for number in range(25):
        job = a_job(FAILED, name=f"Both {number}")
        missed_runs(job.job_id, ago(minutes=5), silence_id=silence)
        missed_runs(job.job_id, ago(minutes=15))
        held(job.job_id, ago(minutes=40))

    with counted_statements() as for_many:
        page = operator.get("/run-checks")

    assert len(rows(page)) == 25 + 1 + 27
    assert len(for_many) <= len(for_two) + 1  # until when mails are in


def test_a_new_run_of_a_silent_job_is_counted_as_new(operator: Browser) -> None:
    job = a_job(WARNING)
    a_run(job.job_id, FAILED, clock.now() + timedelta(minutes=1))

    answer = operator.post("/run-checks/review", data={"runs": job.pairs}, headers={"HX-Request": "true"})

    assert "1 new run arrived meanwhile" in answer.json()["text"]


def _customer_of(job: Made) -> int:
    with transaction() as db:
        return db.get_one(Job, job.job_id).customer_id


def _checkbox(page: str) -> str:
    return page.partition('name="runs" value="')[2].partition('"')[0]
