"""Where tickets and remarks show beside their own pages: lists of runs and jobs, the panel, the page of a job."""

from datetime import timedelta

from sqlalchemy import select, update

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.jobs import JobRun
from shared.models.mail import MailReading
from shared.models.tickets import TicketScope
from shared.services.audit import SYSTEM
from shared.services.edit_job import move_job
from tests.http_api.client import Browser
from tests.http_api.lists import make_customer, text_of
from tests.http_api.run_checks_world import a_job, a_run, counted_statements, rows
from tests.http_api.ticket_world import a_remark, a_ticket, change_ticket, resolve

SUCCESS, WARNING, FAILED = Status.SUCCESS, Status.WARNING, Status.FAILED
SCRIPT = {"HX-Request": "true"}


def says(run_id: int, message: str) -> None:
    """Let the mail of a run give this as its reason."""
    with transaction() as db:
        run = db.get_one(JobRun, run_id)
        db.execute(update(MailReading).where(MailReading.id == run.reading_id).values(message=message))
        run.message = message


def test_a_row_of_run_checks_tells_of_open_tickets_and_remarks(operator: Browser) -> None:
    job, other = a_job(FAILED, name="Nightly"), a_job(FAILED, name="Other")
    a_ticket(job.run_id, code="INC-7")
    a_remark(job.run_id, body="disks are ordered")

    marked, plain = rows(operator.get("/run-checks"))

    assert "Open ticket: INC-7" in marked
    assert "Remark: disks are ordered" in marked
    assert "ticket" not in plain.lower()
    assert other.job_id != job.job_id


def test_a_row_of_many_jobs_names_what_is_open_on_any_of_them_once(operator: Browser) -> None:
    jobs = [a_job(FAILED, name=f"Job {number}", message="disk full") for number in range(7)]
    for number, job in enumerate(jobs):
        a_ticket(job.run_id, code=f"INC-{number}")
    a_remark(jobs[0].run_id, body="disks are ordered")

    head = rows(operator.get("/run-checks?causes=1"))[0]

    assert head.startswith("7 jobs")
    assert "Open tickets: INC-6, INC-5, INC-4, INC-3, INC-2, 2 more" in head
    assert head.count("Remark: disks are ordered") == 1


def test_what_is_resolved_or_deleted_marks_no_row(operator: Browser) -> None:
    one, other = a_job(FAILED), a_job(FAILED)
    resolve(a_ticket(one.run_id))
    change_ticket(a_ticket(other.run_id), deleted_at=clock.now())

    assert not any("Open ticket" in row for row in rows(operator.get("/run-checks")))


def test_a_job_with_an_open_ticket_did_not_run_clean(operator: Browser) -> None:
    job = a_job(FAILED)
    a_ticket(job.run_id, code="INC-7")
    operator.post("/run-checks/review", data={"runs": job.pairs})
    a_run(job.job_id, SUCCESS)
    a_job(SUCCESS, name="Clean")

    page = operator.get("/run-checks")

    assert len(rows(page)) == 1
    assert "INC-7" in rows(page)[0]
    assert "1 job ran clean" in text_of(page.text)


def test_marks_cost_no_statement_a_row(operator: Browser) -> None:
    for number in range(3):
        a_ticket(a_job(FAILED, name=f"Job {number}").run_id)
    with counted_statements() as for_few:
        operator.get("/run-checks")
    for number in range(3, 20):
        job = a_job(FAILED, name=f"Job {number}")
        a_ticket(job.run_id)
        a_remark(job.run_id)

    with counted_statements() as for_many:
        operator.get("/run-checks")

    assert len(for_many) == len(for_few)


def test_a_failed_run_with_a_ticket_asks_for_no_reason(operator: Browser) -> None:
    job, without = a_job(FAILED, name="With"), a_job(FAILED, name="Without")
    a_ticket(job.run_id)

    page = operator.get("/run-checks").text
    panel = operator.get(f"/run-checks/jobs/{job.job_id}", headers=SCRIPT).text
    done = operator.post("/run-checks/review", data={"runs": job.pairs}, headers=SCRIPT)
    refused = operator.post("/run-checks/review", data={"runs": without.pairs}, headers=SCRIPT)

    assert page.count("data-needs-reason") == 1
    assert "data-needs-reason" not in panel
    assert "reason-chips" not in panel
    assert done.json()["text"] == "Reviewed 1 run."
    assert refused.status_code == 422


def test_the_panel_shows_tickets_and_remarks_with_a_button_that_copies(operator: Browser) -> None:
    job = a_job(FAILED)
    a_ticket(job.run_id, code="INC-7", description="disk full")
    a_remark(job.run_id, body="disks are ordered")

    panel = operator.get(f"/run-checks/jobs/{job.job_id}", headers=SCRIPT).text

    assert 'data-copy="INC-7"' in panel
    assert "open since" in text_of(panel)
    assert "disks are ordered" in panel
    assert 'formaction="/tickets/new" data-asks data-key="t"' in panel


def test_the_panel_offers_the_ticket_for_what_waits_and_else_for_the_run_itself(operator: Browser) -> None:
    job = a_job(FAILED, FAILED)
    waiting = operator.get(f"/runs/{job.run_id}").text
    operator.post("/run-checks/review", data={"runs": job.pairs, "reason": "Known"})

    reviewed = operator.get(f"/runs/{job.run_id}").text

    assert f'name="runs" value="{job.pairs}"' in waiting
    assert "Ticket for this run only" in waiting
    assert f'name="runs" value="{job.run_id}:1"' in reviewed
    assert "Ticket for this run only" not in reviewed


def test_a_viewer_sees_the_tickets_of_a_run_and_makes_none(viewer: Browser) -> None:
    job = a_job(FAILED)
    a_ticket(job.run_id, code="INC-7")

    page = viewer.get(f"/runs/{job.run_id}").text

    assert "INC-7" in page
    assert "/tickets/new" not in page


def test_the_page_of_a_job_keeps_tickets_at_their_runs_and_tells_what_is_open(operator: Browser) -> None:
    job = a_job(FAILED, FAILED)
    a_ticket(job.run_ids[1], code="INC-7")
    a_remark(job.run_ids[1], body="disks are ordered")

    open_page = operator.get(f"/jobs/{job.job_id}")
    lines = rows(open_page)

    assert "Open ticket: INC-7" in text_of(open_page.text)
    assert "Remark: disks are ordered" in text_of(open_page.text)
    assert open_page.text.count('data-copy="INC-7"') == 2
    assert ["INC-7" in line for line in lines] == [True, False]


def test_a_resolved_ticket_stays_at_its_run_and_new_runs_have_none(operator: Browser) -> None:
    job = a_job(FAILED)
    resolve(a_ticket(job.run_id, code="INC-7"))
    a_run(job.job_id, FAILED, clock.now() + timedelta(minutes=1))

    page = operator.get(f"/jobs/{job.job_id}")

    assert "Open ticket" not in page.text
    assert ["INC-7" in line for line in rows(page)] == [False, True]
    assert 'aria-label="resolved"' in page.text


def test_the_page_of_a_job_asks_as_often_for_many_tickets_as_for_none(operator: Browser) -> None:
    job = a_job(*[FAILED] * 10)
    with counted_statements() as for_none:
        operator.get(f"/jobs/{job.job_id}")
    for run_id in job.run_ids:
        a_ticket(run_id, anyway=True)

    with counted_statements() as for_many:
        operator.get(f"/jobs/{job.job_id}")

    assert len(for_many) == len(for_none)


def test_moving_a_job_says_what_ends_for_it(operator: Browser) -> None:
    one, both = a_job(FAILED), a_job(FAILED)
    a_ticket(one.run_id)
    a_ticket(both.run_id)
    a_remark(both.run_id)

    first, second = (text_of(operator.get(f"/jobs/{job.job_id}/move").text) for job in (one, both))

    assert "Its 1 open ticket ends for it" in first
    assert "Its 1 open ticket and 1 open remark end for it" in second


def test_after_a_move_nothing_is_open_on_the_job(operator: Browser) -> None:
    job = a_job(FAILED)
    a_ticket(job.run_id)
    other = make_customer("Bakker")
    with transaction() as db:
        move_job(db, job.job_id, other, actor=SYSTEM, now=clock.now())

    page = operator.get(f"/jobs/{job.job_id}")

    assert "Open ticket" not in page.text
    assert "ends for it" not in operator.get(f"/jobs/{job.job_id}/move").text
    with transaction() as db:
        assert db.scalars(select(TicketScope.customer_id)).all() == [None]


def test_a_run_that_fails_for_another_cause_than_its_ticket_says_so(operator: Browser) -> None:
    job = a_job(FAILED)
    says(job.run_id, "Disk D: is full, 12 MB free")
    a_ticket(job.run_id, code="INC-7")
    same, other = (a_run(job.job_id, FAILED) for _ in range(2))
    says(same, "Disk D: is full, 7 MB free")
    says(other, "The host was not found")

    pages = [operator.get(f"/runs/{run}").text for run in (job.run_id, same, other)]

    assert ["other cause than the ticket" in page for page in pages] == [False, False, True]


def test_a_job_that_fails_on_after_its_ticket_was_resolved_says_so_until_it_was_good(operator: Browser) -> None:
    job = a_job(FAILED)
    resolve(a_ticket(job.run_id, code="INC-7"), at=clock.now() - timedelta(minutes=50))
    after = a_run(job.job_id, FAILED, clock.now() - timedelta(minutes=40))
    pages = [text_of(operator.get(f"/runs/{run_id}").text) for run_id in (job.run_id, after)]
    a_run(job.job_id, SUCCESS, clock.now() - timedelta(minutes=30))
    anew = a_run(job.job_id, FAILED, clock.now() - timedelta(minutes=20))

    assert ["INC-7 was resolved" in page for page in pages] == [False, True]
    assert "INC-7" not in operator.get(f"/runs/{anew}").text


def test_no_date_decides_which_rows_are_marked(operator: Browser) -> None:
    """A ticket marks its job whatever day it counts from: only the tickets of one run look at that."""
    job = a_job(FAILED)
    change_ticket(a_ticket(job.run_id, code="INC-7"), active_from_date=(clock.now() + timedelta(days=9)).date())

    assert "Open ticket: INC-7" in rows(operator.get("/run-checks"))[0]
    assert "Open ticket: INC-7" in text_of(operator.get(f"/jobs/{job.job_id}").text)
