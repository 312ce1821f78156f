"""A ticket that somebody made at Autotask himself is linked by its number there."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.domain.ticket import TicketSource
from shared.models.customers import Customer
from shared.models.jobs import JobRun
from shared.models.tickets import Ticket, TicketRun
from tests.autotask_world import tenant_in_the_environment
from tests.fake_autotask import FakeAutotask, Fault
from tests.http_api.client import Browser
from tests.http_api.lists import text_of
from tests.http_api.run_checks_world import Made, a_job
from tests.http_api.test_make_tickets import SCRIPT, add, customer_of, field, with_autotask

FAILED = Status.FAILED


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch, settings_of_the_test: None) -> Iterator[FakeAutotask]:
    with tenant_in_the_environment(monkeypatch) as running:
        yield running


def mapped_job(tenant: FakeAutotask, customer: str = "Acme BV") -> tuple[Made, str]:
    """Return a failed job and its customer's company."""
    job, company = a_job(FAILED, customer=customer), tenant.add_company(customer)
    with_autotask(customer_of(job))
    with transaction() as db:
        db.get_one(Customer, customer_of(job)).autotask_company_id = company
    return job, company


def ticket_there(tenant: FakeAutotask, company: str, number: str = "T20260601.0042") -> str:
    return tenant.add_ticket(companyID=int(company), ticketNumber=number, title="Called by the customer")


def linked() -> list[tuple[str | None, int]]:
    with transaction() as db:
        found = select(Ticket.ticket_code, TicketRun.job_run_id).join(TicketRun, TicketRun.ticket_id == Ticket.id)
        return [(row[0], row[1]) for row in db.execute(found)]


def test_it_is_taken_over_and_its_runs_carry_it(tenant: FakeAutotask, operator: Browser) -> None:
    job, company = mapped_job(tenant)
    remote_id = ticket_there(tenant, company)

    answer = add(operator, job, **field(job, how="link", ticket=" t20260601.0042 "))

    assert answer.json()["text"] == "Linked to 1 run of Nightly."
    assert linked() == [("T20260601.0042", job.run_id)]
    with transaction() as db:
        ticket, run = db.scalars(select(Ticket)).one(), db.get_one(JobRun, job.run_id)
        assert (ticket.source, ticket.remote_id, ticket.title) == (
            TicketSource.AUTOTASK,
            remote_id,
            "Called by the customer",
        )
        assert (run.autotask_ticket_id, run.autotask_ticket_number) == (remote_id, "T20260601.0042")


def test_a_ticket_of_a_series_has_a_longer_number(tenant: FakeAutotask, operator: Browser) -> None:
    job, company = mapped_job(tenant)
    ticket_there(tenant, company, "T20200924.0046.051")

    answer = add(operator, job, **field(job, how="link", ticket="t20200924.0046.051"))

    assert answer.json()["text"] == "Linked to 1 run of Nightly."
    assert linked() == [("T20200924.0046.051", job.run_id)]


@pytest.mark.parametrize("typed", ["T20200924.004", "T20200924.0046.05", "T20200924.0046.", "T2020924.0046"])
def test_what_is_no_number_of_autotasks_is_not_asked_for(tenant: FakeAutotask, operator: Browser, typed: str) -> None:
    job, _ = mapped_job(tenant)

    add(operator, job, **field(job, how="link", ticket=typed))

    assert (tenant.calls, linked()) == ([], [])


def test_what_is_known_here_already_is_linked_without_asking_autotask(tenant: FakeAutotask, operator: Browser) -> None:
    job, company = mapped_job(tenant)
    ticket_there(tenant, company)
    add(operator, job, **field(job, how="link", ticket="T20260601.0042"))
    asked = len(tenant.calls)

    add(operator, job, **field(job, how="link", ticket="T20260601.0042"))

    assert len(tenant.calls) == asked
    assert len(linked()) == 1


def test_another_companys_ticket_is_refused(tenant: FakeAutotask, operator: Browser) -> None:
    job, _ = mapped_job(tenant)
    ticket_there(tenant, tenant.add_company("Bakker"))

    answer = add(operator, job, **field(job, how="link", ticket="T20260601.0042"))

    assert answer.status_code == 422
    assert "is not a ticket of Acme BV at Autotask" in text_of(answer.text)
    assert linked() == []


def test_one_that_is_closed_there_is_refused(tenant: FakeAutotask, operator: Browser) -> None:
    job, company = mapped_job(tenant)
    tenant.close_ticket(ticket_there(tenant, company))

    answer = add(operator, job, **field(job, how="link", ticket="T20260601.0042"))

    assert answer.status_code == 409
    assert "is closed at Autotask" in text_of(answer.text)


def test_one_that_was_taken_up_again_there_long_after_its_end_is_linked(
    tenant: FakeAutotask, operator: Browser
) -> None:
    """A ticket that ended weeks ago is not polled any more, so nobody has seen yet that it is open."""
    job, company = mapped_job(tenant)
    ticket_there(tenant, company)
    add(operator, job, **field(job, how="link", ticket="T20260601.0042"))
    long_ago = clock.now() - timedelta(days=20)
    with transaction() as db:
        db.execute(update(Ticket).values(resolved_at=long_ago, remote_seen_at=long_ago))

    answer = add(operator, job, **field(job, how="link", ticket="T20260601.0042"))

    assert answer.json()["text"] == "Linked to 1 run of Nightly."
    with transaction() as db:
        assert db.scalars(select(Ticket.resolved_at)).one() is None


def test_a_number_that_nobody_knows_is_said_beside_the_field(tenant: FakeAutotask, operator: Browser) -> None:
    job, _ = mapped_job(tenant)

    answer = add(operator, job, **field(job, how="link", ticket="T20260601.0042"))

    assert answer.status_code == 422
    assert "Autotask shows no ticket T20260601.0042." in text_of(answer.text)
    assert 'value="T20260601.0042"' in answer.text


def test_without_an_answer_nothing_is_linked_and_why_is_said(tenant: FakeAutotask, operator: Browser) -> None:
    job, company = mapped_job(tenant)
    ticket_there(tenant, company)
    tenant.plan(Fault.throttle("600", times=None))

    answer = add(operator, job, **field(job, how="link", ticket="T20260601.0042"))

    assert answer.status_code == 422
    assert "Autotask is throttling us: try again in" in text_of(answer.text)
    assert linked() == []


def test_opening_a_form_or_a_page_asks_autotask_nothing(tenant: FakeAutotask, operator: Browser) -> None:
    job, company = mapped_job(tenant)
    ticket_there(tenant, company)
    add(operator, job, **field(job, how="link", ticket="T20260601.0042"))
    with transaction() as db:
        ticket_id = db.scalars(select(Ticket.id)).one()
    asked = len(tenant.calls)

    operator.post("/tickets/new", data={"runs": job.pairs}, headers=SCRIPT)
    operator.get(f"/tickets/{ticket_id}")
    operator.get("/run-checks")

    assert len(tenant.calls) == asked


def test_somebody_who_wants_to_know_now_looks_once_more(tenant: FakeAutotask, operator: Browser) -> None:
    job, company = mapped_job(tenant)
    remote_id = ticket_there(tenant, company)
    add(operator, job, **field(job, how="link", ticket="T20260601.0042"))
    with transaction() as db:
        ticket_id = db.scalars(select(Ticket.id)).one()
    tenant.close_ticket(remote_id)

    answer = operator.post(f"/tickets/{ticket_id}/look")

    page = text_of(operator.get(answer.headers["location"]).text)
    assert "This is how it stands at Autotask." in page
    assert "Resolved" in page
