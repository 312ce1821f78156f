from datetime import datetime, timedelta

import pytest
from sqlalchemy import update

from functions.http_api.formats import short_time
from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.jobs import Job, JobRun
from shared.models.schedules import SilentSource
from shared.models.system import ImportCycle
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import Made, a_job, a_run, counted_statements, open_runs, rows, text_of
from tests.http_api.silence_world import SENDER, a_silence, ago, held, missed_runs, stop

SUCCESS, WARNING, FAILED = Status.SUCCESS, Status.WARNING, Status.FAILED


def said(moment: datetime) -> str:
    return short_time(moment, clock.now())


def the_row(browser: Browser, path: str = "/run-checks") -> str:
    (row,) = rows(browser.get(path))
    return row


def pairs(run_ids: tuple[int, ...]) -> str:
    return ",".join(f"{run_id}:1" for run_id in reversed(run_ids))


def silent_jobs(silence_id: int, number: int) -> list[tuple[Made, int]]:
    """Commit jobs of customers of their own, each with one missed run of the silence; the last good run is reviewed."""
    found = []
    for each in range(number):
        job = a_job(SUCCESS, name=f"Silent {each}", customer=f"Customer {each:02}")
        reviewed(job.run_ids)
        (run_id,) = missed_runs(job.job_id, ago(minutes=10), silence_id=silence_id)
        found.append((job, run_id))
    return found


def reviewed(run_ids: tuple[int, ...]) -> None:
    """Take runs off the list as if they were from before the installation went live."""
    with transaction() as db:
        db.execute(update(JobRun).where(JobRun.id.in_(run_ids)).values(is_history=True))


def test_missed_slots_that_follow_each_other_are_one_line(operator: Browser) -> None:
    job = a_job(SUCCESS)
    reviewed(job.run_ids)
    slots = [ago(minutes=50 - 5 * number) for number in range(9)]
    run_ids = missed_runs(job.job_id, *slots)

    page = operator.get("/run-checks")

    (row,) = rows(page)
    assert f"9 Missed {said(slots[-1])} missed since {said(slots[0])}, 9 slots" in row
    assert f'value="{pairs(run_ids)}"' in page.text


def test_one_missed_slot_says_since_when_there_is_no_report(operator: Browser) -> None:
    job = a_job(SUCCESS)
    reviewed(job.run_ids)
    missed_runs(job.job_id, ago(minutes=5))

    assert f"no report since {said(ago(hours=1))}" in the_row(operator)


def test_a_job_that_never_reported_says_which_slot_was_missed(operator: Browser) -> None:
    job = a_job()
    missed_runs(job.job_id, ago(minutes=5))

    assert f"no report came {said(ago(minutes=5))}" in the_row(operator)


def test_a_report_between_two_missed_slots_ends_the_line_though_somebody_reviewed_it(operator: Browser) -> None:
    job = a_job(SUCCESS)
    reviewed(job.run_ids)
    missed_runs(job.job_id, ago(hours=3), ago(minutes=30), ago(minutes=20))

    row = the_row(operator)

    assert f"missed since {said(ago(minutes=30))}, 2 slots, 1 earlier slot" in row


def test_a_job_that_came_again_says_so(operator: Browser) -> None:
    job = a_job(SUCCESS)
    missed_runs(job.job_id, ago(hours=3), ago(hours=2))

    row = the_row(operator)

    assert f"missed {said(ago(hours=3))}, 2 slots; came again {said(ago(hours=1))}" in row
    assert "ran clean" not in row


def test_a_failed_run_keeps_its_reason_before_the_silence(operator: Browser) -> None:
    job = a_job(FAILED, message="disk full")
    missed_runs(job.job_id, ago(minutes=20), ago(minutes=10))

    assert f"disk full · missed since {said(ago(minutes=20))}, 2 slots" in the_row(operator)


def test_a_stopped_job_says_since_when_nothing_came(operator: Browser) -> None:
    job = a_job(SUCCESS)
    reviewed(job.run_ids)
    missed_runs(job.job_id, *(ago(minutes=number) for number in (30, 20, 10)))
    stop(job.job_id)

    row = the_row(operator)

    assert f"stopped: nothing since {said(ago(hours=1))}" in row


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
    reviewed(job.run_ids)
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


def test_a_late_success_is_marked_and_not_clean(operator: Browser) -> None:
    job = a_job(SUCCESS, SUCCESS)
    with transaction() as db:
        db.execute(update(JobRun).where(JobRun.id == job.run_id).values(is_late=True))

    page = operator.get("/run-checks")

    assert "1 of 2 came late" in rows(page)[0]
    assert rows(page)[0].endswith("came late Reviewed")
    assert "ran clean" not in page.text


def test_a_success_on_a_retry_says_so_and_is_not_clean(operator: Browser) -> None:
    job = a_job(SUCCESS)
    with transaction() as db:
        db.execute(update(JobRun).where(JobRun.id == job.run_id).values(recovered_on=2))

    page = operator.get("/run-checks")

    assert "recovered on retry 2" in rows(page)[0]
    assert "ran clean" not in page.text


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


def _read(at: datetime) -> ImportCycle:
    return ImportCycle(source="folder", trigger="timer", started_at=at, finished_at=at, complete=True)
