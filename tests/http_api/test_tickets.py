"""The pages of tickets and remarks: lists, details, and what people do there."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.domain.ticket import ErrandKind, ErrandState, TicketSource
from shared.domain.ticketing import ReferenceKind
from shared.models.ticketing import Errand, TicketingChoice
from shared.models.tickets import Remark, Ticket, TicketScope
from shared.services.audit import SYSTEM
from shared.services.ticketed_runs import WholeJobs
from shared.services.tickets import add_manual_ticket
from tests.http_api.client import Browser
from tests.http_api.lists import counted_statements, make_customer, make_job, rows, text_of
from tests.http_api.run_checks_world import a_job, a_run
from tests.http_api.ticket_world import a_remark, a_ticket, being_made, change_ticket, of_autotask, resolve

FAILED, SUCCESS = Status.FAILED, Status.SUCCESS


def ticket_for(*job_ids: int, code: str, description: str = "", days_ago: int = 0) -> int:
    at = clock.now() - timedelta(days=days_ago)
    with transaction() as db:
        what = WholeJobs(job_ids=job_ids, at=at)
        return add_manual_ticket(
            db, code=code, description=description, run_ids=what, actor=SYSTEM, now=at, anyway=True
        )


def stored(ticket_id: int) -> Ticket:
    with transaction() as db:
        ticket = db.get_one(Ticket, ticket_id)
        db.expunge(ticket)
        return ticket


def test_the_list_shows_what_is_open_newest_first(operator: Browser) -> None:
    job = make_job("Nightly", make_customer("Acme BV"))
    ticket_for(job, code="OLD-1", description="disk full", days_ago=3)
    ticket_for(job, code="NEW-1")
    resolve(ticket_for(job, code="DONE-1"))

    page = operator.get("/tickets")

    assert [row.split()[0] for row in rows(page)] == ["NEW-1", "OLD-1"]
    assert "OLD-1 Open Acme BV Nightly disk full" in rows(page)[1]
    assert "Tickets 2" in text_of(page.text)


@pytest.mark.parametrize(
    "asked, expected",
    [
        ("", {"OPEN-1"}),
        ("state=resolved", {"DONE-1"}),
        ("state=deleted", {"GONE-1"}),
        ("state=all", {"OPEN-1", "DONE-1", "GONE-1"}),
        ("state=nonsense", {"OPEN-1"}),
        ("state=all&q=done", {"DONE-1"}),
        ("state=all&q=bakker", {"DONE-1"}),
        ("state=all&q=night+broken", {"OPEN-1"}),
        ("state=all&q=100%25", set()),
        ("customer=nonsense", {"OPEN-1"}),
    ],
)
def test_the_list_is_narrowed_by_state_and_words(asked: str, expected: set[str], operator: Browser) -> None:
    acme, bakker = make_customer("Acme BV"), make_customer("Bakker")
    ticket_for(make_job("Nightly", acme), code="OPEN-1", description="the disk is broken")
    resolve(ticket_for(make_job("Mailboxes", bakker), code="DONE-1"))
    change_ticket(ticket_for(make_job("Servers", acme), code="GONE-1"), deleted_at=clock.now())

    page = operator.get(f"/tickets?{asked}")

    assert {row.split()[0] for row in rows(page)} == expected


def test_the_list_is_narrowed_to_a_customer_and_sorted(operator: Browser) -> None:
    acme, bakker = make_customer("Acme BV"), make_customer("Bakker")
    for number, customer in ((2, acme), (1, acme), (3, bakker)):
        ticket_for(make_job(f"Job {number}", customer), code=f"C-{number}")

    page = operator.get("/tickets", params={"customer": acme, "sort": "code"})

    assert [row.split()[0] for row in rows(page)] == ["C-1", "C-2"]


def test_five_hundred_tickets_are_ten_pages_and_ask_the_database_as_often_as_one(operator: Browser) -> None:
    job = make_job("Nightly", make_customer("Acme BV"))
    ticket_for(job, code="C-0")
    with counted_statements() as for_one:
        operator.get("/tickets")
    for number in range(1, 120):
        ticket_for(job, code=f"C-{number}")

    with counted_statements() as for_many:
        first = operator.get("/tickets")
    last = operator.get("/tickets", params={"page": 99})

    assert len(rows(first)) == 50
    assert "1–50 of 120" in text_of(first.text)
    assert "101–120 of 120" in text_of(last.text)
    assert len(for_many) == len(for_one)


def test_an_empty_list_says_why_and_what_next(operator: Browser, viewer: Browser) -> None:
    mine, found, theirs = (
        text_of(browser.get(path).text)
        for browser, path in ((operator, "/tickets"), (operator, "/tickets?q=x"), (viewer, "/tickets/remarks"))
    )

    assert "No ticket is open. One begins on Run Checks" in mine
    assert "No ticket fits." in found
    assert "No remark is open." in theirs
    assert "New remark" not in theirs


def test_a_ticket_tells_its_jobs_its_runs_and_what_was_done_to_it(operator: Browser) -> None:
    job = a_job(FAILED, customer="Acme BV", name="Nightly VMs", message="disk full")
    ticket_id = a_ticket(job.run_id, code="INC-7", description="SQL01 is\nfull")
    new = a_run(job.job_id, FAILED, message="still full")
    operator.post(f"/tickets/{ticket_id}/resolve", data={"note": "new disks"})

    page = operator.get(f"/tickets/{ticket_id}")
    words = text_of(page.text)

    assert 'data-copy="INC-7"' in page.text
    assert "SQL01 is\nfull" in page.text
    assert f'href="/runs/{job.run_id}"' in page.text
    assert f'href="/runs/{new}"' in page.text
    assert "Nightly VMs Veeam Resolved" in words
    assert "system made it for 1 job, on 1 run" in words
    assert "the operator resolved it: “new disks”" in words


def test_resolving_ends_it_at_once_and_reopening_takes_it_up_for_what_comes(operator: Browser) -> None:
    job = a_job(FAILED)
    ticket_id = a_ticket(job.run_id, code="INC-7")

    operator.post(f"/tickets/{ticket_id}/resolve", data={"note": ""})
    a_run(job.job_id, FAILED)
    operator.post(f"/tickets/{ticket_id}/reopen")
    a_run(job.job_id, FAILED)

    words = text_of(operator.get(f"/tickets/{ticket_id}").text)
    assert "Runs 2" in words
    assert "opened it again" in words
    assert stored(ticket_id).resolved_at is None


def test_a_ticket_that_is_over_is_resolved_only_once(operator: Browser) -> None:
    ticket_id = a_ticket(a_job(FAILED).run_id)

    answers = [operator.post(f"/tickets/{ticket_id}/{act}") for act in ("resolve", "resolve", "reopen", "reopen")]

    assert [answer.status_code for answer in answers] == [303, 409, 303, 409]


def test_it_is_resolved_for_one_of_its_jobs(operator: Browser) -> None:
    customer = make_customer("Acme BV")
    one, other = make_job("One", customer), make_job("Other", customer)
    ticket_id = ticket_for(one, other, code="INC-7")

    answer = operator.post(f"/tickets/{ticket_id}/jobs/{one}/resolve")

    assert answer.status_code == 303
    with transaction() as db:
        ended = select(TicketScope.job_id).where(TicketScope.resolved_at.is_not(None))
        assert db.scalars(ended).all() == [one]
    assert "2 jobs 1 open" in rows(operator.get("/tickets"))[0]


def test_its_last_job_ends_it_and_the_page_says_so_before(operator: Browser) -> None:
    customer = make_customer("Acme BV")
    one, other = make_job("One", customer), make_job("Other", customer)
    ticket_id = ticket_for(one, other, code="INC-7")
    both = operator.get(f"/tickets/{ticket_id}").text
    operator.post(f"/tickets/{ticket_id}/jobs/{one}/resolve")

    asks = [operator.get(f"/tickets/{ticket_id}{part}").text for part in ("", "/resolve")]
    said = operator.post(f"/tickets/{ticket_id}/jobs/{other}/resolve")
    over = operator.get(f"/tickets/{ticket_id}")
    reopened = operator.post(f"/tickets/{ticket_id}/reopen")

    assert "is the last job" not in both
    assert all("Other is the last job that it is open for: the ticket ends with it" in page for page in asks)
    assert f"/jobs/{other}/resolve" not in asks[0]
    assert (said.status_code, reopened.status_code) == (303, 303)
    assert "It was the last job, so the ticket is resolved." in text_of(over.text)
    assert "2 jobs" in rows(operator.get("/tickets"))[0]
    assert "1 open" not in rows(operator.get("/tickets"))[0]


def test_what_lost_its_job_says_so_and_offers_no_reopening(admin: Browser) -> None:
    moved, deleted = a_job(FAILED, name="Moved"), a_job(FAILED, name="Deleted")
    tickets = [a_ticket(job.run_id) for job in (moved, deleted)]
    remarks = [a_remark(job.run_id) for job in (moved, deleted)]
    admin.post(f"/jobs/{moved.job_id}/move", data={"customer_id": make_customer("Birch")})
    admin.post(f"/jobs/{deleted.job_id}/archive")
    asked = admin.get(f"/jobs/{deleted.job_id}/delete")
    admin.post(f"/jobs/{deleted.job_id}/delete", data={"name": "Deleted"})
    admin.post(f"/tickets/{tickets[0]}/resolve")
    admin.post(f"/tickets/remarks/{remarks[0]}/resolve")

    pages = [admin.get(f"/tickets/{each}").text for each in tickets]
    pages += [admin.get(f"/tickets/remarks/{each}").text for each in remarks]

    assert "open for this job alone are resolved with it" in text_of(asked.text)
    assert all("Reopen" not in text_of(page) and "Resolved" in text_of(page) for page in pages)
    assert all("moved to another customer" in pages[number] for number in (0, 2))
    assert "The jobs that it was about were deleted." in pages[1]
    assert "Remark Resolved" in text_of(pages[3])
    assert all("resolved it: “its last open job was deleted”" in text_of(pages[number]) for number in (1, 3))
    assert "Moved" in rows(admin.get("/tickets?state=resolved"))[1]


def test_the_last_job_of_one_of_autotask_sends_word_there(operator: Browser) -> None:
    customer = make_customer("Acme BV")
    jobs = [make_job("One", customer), make_job("Other", customer)]
    ticket_id = ticket_for(*jobs, code="INC-7")
    of_autotask(ticket_id, [])

    for job in jobs:
        operator.post(f"/tickets/{ticket_id}/jobs/{job}/resolve")

    with transaction() as db:
        assert db.scalars(select(Errand.kind)).all() == [ErrandKind.RESOLVE]
    assert "Autotask is told so." in text_of(operator.get(f"/tickets/{ticket_id}").text)


def test_description_and_typed_code_are_edited_and_what_cannot_be_used_stays_in_the_form(operator: Browser) -> None:
    job = a_job(FAILED)
    ticket_id, other = a_ticket(job.run_id, code="INC-7"), a_job(FAILED)
    a_ticket(other.run_id, code="INC-8")

    taken = operator.post(f"/tickets/{ticket_id}/edit", data={"code": "inc-8", "description": "new words"})
    empty = operator.post(f"/tickets/{ticket_id}/edit", data={"code": " ", "description": "new words"})
    kept = (stored(ticket_id).ticket_code, stored(ticket_id).description)
    saved = operator.post(f"/tickets/{ticket_id}/edit", data={"code": "INC-9", "description": "new words"})

    long = operator.post(f"/tickets/{ticket_id}/edit", data={"code": "INC-9", "description": "x" * 8_001})

    assert [answer.status_code for answer in (taken, empty, saved, long)] == [409, 422, 303, 422]
    assert "At most 8,000 characters" in text_of(long.text)
    assert kept == ("INC-7", "")
    assert "new words</textarea>" in taken.text
    assert (stored(ticket_id).ticket_code, stored(ticket_id).description) == ("INC-9", "new words")


def test_a_ticket_of_autotask_tells_how_it_stands_there(operator: Browser) -> None:
    job = a_job(FAILED)
    ticket_id = a_ticket(job.run_id)
    of_autotask(ticket_id, job.run_ids, "T20260601.0009")
    change_ticket(ticket_id, remote_status_id="8", misses=2, remote_seen_at=clock.now())
    with transaction() as db:
        db.add(TicketingChoice(kind=ReferenceKind.STATUS, choice_id="8", label="In progress"))

    words = text_of(operator.get(f"/tickets/{ticket_id}").text)

    assert "Status In progress" in words
    assert "Autotask has not shown this ticket at the last 2 looks. That proves nothing" in words
    assert "T20260601.0009 Open not to be seen at Autotask" in rows(operator.get("/tickets"))[0]


def test_one_that_is_proven_deleted_says_so_and_offers_nothing(operator: Browser) -> None:
    ticket_id = a_ticket(a_job(FAILED).run_id)
    change_ticket(ticket_id, source=TicketSource.AUTOTASK, remote_id="7", deleted_at=clock.now())

    page = operator.get(f"/tickets/{ticket_id}").text

    assert "Proven deleted at Autotask" in text_of(page)
    assert "/resolve" not in page
    assert "/reopen" not in page


def test_resolving_one_of_autotask_sends_word_there_and_it_is_reopened_only_there(operator: Browser) -> None:
    ticket_id = being_made(a_job(FAILED).run_id)

    operator.post(f"/tickets/{ticket_id}/resolve", data={"note": "new disks"})
    again = operator.post(f"/tickets/{ticket_id}/reopen")

    assert again.status_code == 409
    with transaction() as db:
        sent = db.execute(select(Errand.kind, Errand.content).where(Errand.kind == ErrandKind.RESOLVE)).all()
    assert sent == [(ErrandKind.RESOLVE, {"text": "new disks"})]


def test_an_errand_that_failed_says_in_words_what_is_wrong(operator: Browser) -> None:
    job = a_job(FAILED)
    ticket_id = being_made(job.run_id)
    with transaction() as db:
        db.execute(update(Errand).values(state=ErrandState.FAILED, last_error="No queue is chosen.", attempts=3))

    page = text_of(operator.get(f"/tickets/{ticket_id}").text)
    panel = text_of(operator.get(f"/runs/{job.run_id}").text)

    assert "Autotask did not make this ticket: No queue is chosen." in page
    assert "Make the ticket : failed after 3 attempts" in page
    assert "Autotask did not make it: No queue is chosen." in panel
    assert "not sent" in rows(operator.get("/tickets"))[0]


def test_remarks_are_listed_edited_resolved_and_reopened(operator: Browser) -> None:
    job = a_job(FAILED, customer="Acme BV", name="Nightly VMs")
    remark_id = a_remark(job.run_id, body="disks are ordered")
    here = f"/tickets/remarks/{remark_id}"

    listed = rows(operator.get("/tickets/remarks"))
    operator.post(f"{here}/edit", data={"body": "disks have come"})
    empty = operator.post(f"{here}/edit", data={"body": " "})
    operator.post(f"{here}/resolve")
    over = operator.get(here)
    left = rows(operator.get("/tickets/remarks"))
    resolved = rows(operator.get("/tickets/remarks?state=resolved&q=disks"))
    operator.post(f"{here}/reopen")

    assert listed[0].startswith("disks are ordered Open Acme BV Nightly VMs")
    assert empty.status_code == 422
    assert "disks have come" in text_of(over.text)
    assert "the operator changed the words" in text_of(over.text)
    assert (left, len(resolved)) == ([], 1)
    with transaction() as db:
        assert db.scalars(select(Remark.resolved_at)).all() == [None]


def test_a_viewer_reads_and_changes_nothing(viewer: Browser) -> None:
    job = a_job(FAILED)
    ticket_id, remark_id = a_ticket(job.run_id, code="INC-7"), a_remark(job.run_id)
    pages = [f"/tickets/{ticket_id}", f"/tickets/remarks/{remark_id}", "/tickets", "/tickets/remarks"]

    seen = [viewer.get(path) for path in pages]
    refused = [viewer.post(f"{path}/{act}") for path in pages[:2] for act in ("resolve", "reopen", "edit")] + [
        viewer.post(f"/tickets/{ticket_id}/jobs/{job.job_id}/resolve"),
        viewer.get("/tickets/new"),
    ]

    assert [page.status_code for page in seen] == [200] * 4
    assert all('method="post"' not in page.text.split("<main", 1)[1] for page in seen)
    assert {answer.status_code for answer in refused} == {403}


@pytest.mark.parametrize("path", ["/tickets/999", "/tickets/remarks/999", "/tickets/999/edit", "/tickets/999/resolve"])
def test_what_is_not_there_is_not_found(path: str, operator: Browser) -> None:
    assert operator.get(path).status_code == 404


@pytest.mark.parametrize("path", ["/tickets/add", "/tickets/remarks/add"])
def test_nothing_is_made_for_a_customer_who_is_not_there(path: str, operator: Browser) -> None:
    answer = operator.post(path, data={"customer": "999", "job": "1", "body": "words", "code-999": "INC-1"})

    assert answer.status_code == 404
    assert "This customer doesn't exist (any more)." in text_of(answer.text)
