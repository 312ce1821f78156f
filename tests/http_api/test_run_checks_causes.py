"""Jobs that are bad for one reason, as one row of Run Checks."""

from datetime import timedelta

import pytest

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.jobs import Job, JobRun
from shared.models.mail import MailObject
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import Made, a_job, a_run, counted_statements, open_runs, rows, text_of
from tests.http_api.silence_world import a_silence, ago, missed_runs

SUCCESS, WARNING, FAILED = Status.SUCCESS, Status.WARNING, Status.FAILED
GROUPED = "/run-checks?causes=1"
FULL = "There is not enough space on the disk"


def failing(number: int, says: str = FULL, **of: str) -> list[Made]:
    """Commit jobs of customers of their own that failed for one reason, each with another amount left."""
    return [a_job(FAILED, message=f"{says}: {each + 1}.5 GB left", **of) for each in range(number)]


def two_jobs_of(customer: str, message: str) -> None:
    first, second = a_job(FAILED, customer=customer, message=message), a_job(FAILED, message=message)
    with transaction() as db:
        db.get_one(Job, second.job_id).customer_id = db.get_one(Job, first.job_id).customer_id


def causes(browser: Browser, address: str = GROUPED) -> dict[str, str]:
    """Return the pairs of each cause's row, by its key."""
    state = browser.get(address.replace("/run-checks", "/run-checks/state", 1)).json()["rows"]
    return {key: pairs for key, pairs in state.items() if key.startswith("c")}


def object_of(run_id: int, name: str, message: str, status: Status = FAILED) -> None:
    """Let an object of the run's mail say why it is bad."""
    with transaction() as db:
        reading_id = db.get_one(JobRun, run_id).reading_id
        number = db.query(MailObject).filter_by(reading_id=reading_id).count()
        db.add(MailObject(reading_id=reading_id, number=number, name=name, type="VM", status=status, message=message))


def test_jobs_that_are_bad_for_one_reason_are_one_row(operator: Browser) -> None:
    failing(3)
    a_job(FAILED, message="Access is denied")

    page = operator.get(GROUPED)

    head, *others = rows(page)
    assert head.startswith("3 jobs of 3 customers : There is not enough space on the disk: … left Veeam 3 3 failed")
    assert len(others) == 3 + 1
    assert page.text.count(" hidden class=") == 3
    assert "4 jobs · 4 runs to review" in text_of(page.text)
    assert len(rows(operator.get("/run-checks?q="))) == 4
    (key,) = causes(operator)
    assert operator.get(f"{GROUPED}&cause={key}").text.count(" hidden class=") == 0


def test_one_customer_is_called_by_his_name_and_the_same_words_are_shown_whole(operator: Browser) -> None:
    two_jobs_of("Acme BV", message="SRV-7 is out of space")

    assert rows(operator.get(GROUPED))[0].startswith("2 jobs of Acme BV : SRV-7 is out of space Veeam")


def test_a_cause_of_one_job_and_products_of_their_own_stay_rows_of_their_own(operator: Browser) -> None:
    failing(1)
    failing(1, software="Altaro")
    failing(1, says="Access is denied")

    assert len(rows(operator.get(GROUPED))) == 3


def test_a_cause_stands_where_its_worst_job_stands(operator: Browser) -> None:
    a_job(WARNING, message="Access is denied")
    a_job(WARNING, message="Slow: 3 minutes")
    a_job(FAILED, message="Slow: 4 minutes")

    head, *members, last = rows(operator.get(GROUPED))

    assert "1 failed" in head
    assert "1 warning" in head
    assert [words for words in members if "Slow" in words] == members
    assert "Access is denied" in last


def test_the_worst_run_decides_and_the_others_are_told(operator: Browser) -> None:
    first = a_job(SUCCESS, FAILED, message=f"{FULL}: 1 GB left")
    a_run(first.job_id, WARNING, clock.now() - timedelta(days=3), "VSS timed out")
    a_run(first.job_id, FAILED, clock.now() - timedelta(days=4), f"{FULL}: 9 GB left")
    failing(1)

    (head, *_) = rows(operator.get(GROUPED))

    assert "and 2 other runs" in head
    assert head.startswith("2 jobs of 2 customers")


def test_what_never_came_and_what_is_good_has_no_cause(operator: Browser) -> None:
    silence = a_silence()
    for _ in range(2):
        job = a_job(SUCCESS, message="all is well")
        missed_runs(job.job_id, ago(minutes=10))
        missed_runs(a_job(WARNING, message=FULL).job_id, ago(minutes=10), silence_id=silence)

    page = operator.get(GROUPED)

    assert sum("Silent sender" in row for row in rows(page)) == 1
    (pairs,) = causes(operator).values()
    assert len(pairs.split(",")) == 2  # the warnings; the missed runs of these jobs stay with the silence


def test_words_of_objects_tell_the_cause_whatever_the_objects_are_called(operator: Browser) -> None:
    for name, general in (("HARBOR-DB", "Processing finished with errors"), ("lab", "HARBOR: 3 objects failed")):
        run_id = a_job(FAILED, message=general).run_id
        object_of(run_id, name, f"{name} is locked by another process")
        object_of(run_id, "Other", "was slow", WARNING)
    object_of(a_job(FAILED, message="Processing finished with errors").run_id, "web", "Access is denied")

    (pairs,) = causes(operator).values()

    assert len(pairs.split(",")) == 2
    assert "… is locked by another process" in rows(operator.get(GROUPED))[0]


def test_a_cause_is_reviewed_as_one_with_exactly_what_its_rows_show(operator: Browser) -> None:
    jobs = failing(3)
    other = a_job(FAILED, message="Access is denied")
    (pairs,) = causes(operator).values()
    late = a_run(jobs[0].job_id, FAILED, message=FULL)

    answer = operator.post(
        "/run-checks/review", data={"runs": pairs, "reason": "Known"}, headers={"HX-Request": "true"}
    )

    assert sorted(pairs.split(",")) == sorted(job.pairs for job in jobs)
    assert answer.json()["text"] == "Reviewed 3 runs. 1 new run arrived meanwhile and stays open."
    assert open_runs() == {other.run_id, late}


def test_a_cause_without_a_reason_is_not_reviewed(operator: Browser) -> None:
    failing(2)
    (pairs,) = causes(operator).values()
    before = open_runs()

    assert operator.post("/run-checks/review", data={"runs": pairs}).status_code == 422
    assert open_runs() == before


def test_a_ticket_for_a_cause_is_made_per_customer(operator: Browser) -> None:
    two_jobs_of("Acme BV", message=FULL)
    a_job(FAILED, customer="Bakker", message=FULL)
    (pairs,) = causes(operator).values()

    form = operator.post("/tickets/new", data={"runs": pairs}).text

    assert form.count('name="code-') == 2
    assert "Acme BV" in form
    assert "Bakker" in form


def test_one_cause_can_be_fetched_as_it_is_now_even_for_its_last_job(operator: Browser) -> None:
    jobs = failing(2)
    (key,) = causes(operator)
    operator.post("/run-checks/review", data={"runs": jobs[0].pairs, "reason": "Known"})

    row = operator.get(f"/run-checks/causes/{key}/row?causes=1")

    assert len(rows(row)) == 2
    assert "1 job of" in rows(row)[0]
    assert operator.get("/run-checks/causes/cff/row").text.strip() == ""


def test_the_choice_is_remembered_until_the_box_is_emptied(operator: Browser) -> None:
    failing(2)

    operator.get(GROUPED)
    again = operator.get("/run-checks?panel=7")
    emptied = operator.get("/run-checks?q=&status=")
    bare = operator.get("/run-checks")

    assert (again.status_code, again.headers["location"]) == (303, "/run-checks?causes=1&panel=7")
    assert emptied.status_code == 200
    assert bare.status_code == 200
    assert "checked" not in text_of_box(bare.text)
    assert "checked" in text_of_box(operator.get(GROUPED).text)


def text_of_box(page: str) -> str:
    return page.partition('id="rc-causes"')[2].partition(">")[0]


@pytest.mark.parametrize("address", ["causes=2", "causes=1&cause=c0", "causes=1&cause=%00", "cause=' or 1=1"])
def test_a_cause_that_is_not_there_shows_the_list(address: str, operator: Browser) -> None:
    a_job(FAILED)

    assert len(rows(operator.get(f"/run-checks?{address}"))) == 1


def test_the_page_asks_as_often_for_fifty_jobs_as_for_two(operator: Browser) -> None:
    failing(2)
    with counted_statements() as for_two:
        operator.get(GROUPED)
    for number in range(24):
        job = a_job(FAILED, FAILED, message=FULL if number % 2 else f"Access is denied on share {number}")
        object_of(job.run_id, f"SRV-{number}", "Network path not found")

    with counted_statements() as for_many:
        page = operator.get(GROUPED)

    assert len(rows(page)) > 26
    assert len(for_many) <= len(for_two) + 1  # what the other runs of these jobs say
