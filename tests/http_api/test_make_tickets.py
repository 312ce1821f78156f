"""Tickets and remarks are made for exactly the runs that were on screen, one for each customer."""

from typing import Any

import pytest
from sqlalchemy import select, update

from shared.db.session import transaction
from shared.domain.status import Status
from shared.domain.ticket import ErrandKind, MappingState, TicketSource
from shared.domain.ticketing import ReferenceKind
from shared.models.customers import Customer
from shared.models.jobs import Job
from shared.models.ticketing import Errand, TicketingChoice, TicketingSettings
from shared.models.tickets import Remark, RemarkRun, Ticket, TicketRun, TicketScope
from tests.http_api.client import Browser
from tests.http_api.lists import text_of
from tests.http_api.run_checks_world import Made, a_job, a_run, open_runs
from tests.http_api.ticket_world import a_ticket, resolve

SUCCESS, WARNING, FAILED = Status.SUCCESS, Status.WARNING, Status.FAILED
SCRIPT = {"HX-Request": "true"}


def customer_of(job: Made) -> int:
    with transaction() as db:
        return db.scalars(select(Job.customer_id).where(Job.id == job.job_id)).one()


def made() -> dict[str | None, set[int]]:
    """Return the runs of each ticket, by its code."""
    with transaction() as db:
        found: dict[str | None, set[int]] = {}
        for code, run_id in db.execute(
            select(Ticket.ticket_code, TicketRun.job_run_id).join(TicketRun, TicketRun.ticket_id == Ticket.id)
        ):
            found.setdefault(code, set()).add(run_id)
        return found


def field(job: Made, **typed: str) -> dict[str, str]:
    """Return what a form sends for the customer of a job."""
    customer_id = customer_of(job)
    return {f"{name}-{customer_id}": value for name, value in typed.items()}


def add(browser: Browser, *jobs: Made, **typed: Any) -> Any:
    runs = ",".join(job.pairs for job in jobs)
    return browser.post("/tickets/add", data={"runs": runs, "back": "/run-checks", **typed}, headers=SCRIPT)


def with_autotask(*customers: int) -> None:
    """Let Autotask make tickets, for these customers."""
    with transaction() as db:
        settings = {"provider": TicketSource.AUTOTASK, "queue_id": "5", "priority_failed_id": "1"}
        db.execute(update(TicketingSettings).values(settings))
        for kind, choice_id, label in (
            (ReferenceKind.QUEUE, "5", "Service desk"),
            (ReferenceKind.QUEUE, "6", "Backups"),
            (ReferenceKind.PRIORITY, "1", "High"),
        ):
            db.add(TicketingChoice(kind=kind, choice_id=choice_id, label=label))
        for number, customer_id in enumerate(customers):
            mapping = {"autotask_company_id": str(number), "autotask_company_name": "Acme", "autotask_mapping": "ok"}
            values = mapping | {"autotask_mapping": MappingState.OK}
            db.execute(update(Customer).where(Customer.id == customer_id).values(values))


def test_the_form_says_what_it_is_about_and_asks_for_a_code(operator: Browser) -> None:
    job = a_job(FAILED, SUCCESS, FAILED, customer="Acme BV", name="Nightly VMs")

    form = operator.post("/tickets/new", data={"runs": job.pairs}, headers=SCRIPT)

    assert "Ticket for Acme BV" in text_of(form.text)
    assert "Nightly VMs (2 runs)" in text_of(form.text)
    assert f'name="code-{customer_of(job)}"' in form.text
    assert "<html" not in form.text


def test_without_script_the_same_form_is_a_page(operator: Browser) -> None:
    job = a_job(FAILED)

    page = operator.post("/tickets/new", data={"runs": job.pairs, "back": "/run-checks?q=x"})

    assert "<html" in page.text
    assert 'name="back" value="/run-checks?q=x"' in page.text


def test_a_ticket_is_on_the_runs_that_were_on_screen_and_are_not_good(operator: Browser) -> None:
    job = a_job(FAILED, SUCCESS, WARNING)
    arrived_since = a_run(job.job_id, FAILED)

    answer = add(operator, job, **field(job, how="new", code="INC-7", description="disk full"))

    assert answer.json() == {"text": "Ticket INC-7 is on 2 runs of Nightly.", "jobs": [job.job_id]}
    assert made() == {"INC-7": {job.run_ids[0], job.run_ids[2]}}
    assert arrived_since in open_runs()


def test_one_run_can_be_chosen(operator: Browser) -> None:
    job = a_job(FAILED, FAILED)
    data = {"runs": job.pairs, "only": f"{job.run_ids[0]}:1"}

    form = operator.post("/tickets/new", data=data, headers=SCRIPT)

    assert f'name="runs" value="{job.run_ids[0]}"' in form.text


def test_without_script_the_answer_goes_back_to_where_it_came_from(operator: Browser) -> None:
    job = a_job(FAILED)
    data = {"runs": job.pairs, "back": "/run-checks?q=x", **field(job, how="new", code="INC-7")}

    answer = operator.post("/tickets/add", data=data)

    assert (answer.status_code, answer.headers["location"]) == (303, "/run-checks?q=x")


def test_runs_of_two_customers_make_a_ticket_each_and_never_one_across(operator: Browser) -> None:
    one, other = a_job(FAILED, customer="Acme BV"), a_job(FAILED, FAILED, customer="Bakker")

    form = operator.post("/tickets/new", data={"runs": f"{one.pairs},{other.pairs}"}, headers=SCRIPT)
    add(operator, one, other, **field(one, how="new", code="A-1"), **field(other, how="new", code="B-1"))

    assert "2 tickets, one for each customer" in text_of(form.text)
    assert made() == {"A-1": set(one.run_ids), "B-1": set(other.run_ids)}


def test_a_customer_can_be_left_out(operator: Browser) -> None:
    one, other = a_job(FAILED), a_job(FAILED)

    add(operator, one, other, **field(one, how="new", code="A-1"), **field(other, how="skip"))

    assert made() == {"A-1": set(one.run_ids)}


def test_what_cannot_be_done_for_one_customer_is_done_for_none_and_what_was_typed_stays(operator: Browser) -> None:
    one, other = a_job(FAILED), a_job(FAILED)

    answer = add(operator, one, other, **field(one, how="new", code="A-1"), **field(other, how="new", code=" "))

    assert answer.status_code == 422
    assert 'value="A-1"' in answer.text
    assert "Type the ticket&#39;s code" in answer.text
    assert made() == {}


def test_a_job_with_an_open_ticket_offers_it_first_and_another_only_expressly(operator: Browser) -> None:
    job = a_job(FAILED, name="Nightly VMs")
    ticket_id = a_ticket(job.run_id, code="INC-7")
    new = a_run(job.job_id, FAILED)

    form = operator.post("/tickets/new", data={"runs": str(new)}, headers=SCRIPT).text
    linking = field(job, how=f"link-{ticket_id}")

    assert f'value="link-{ticket_id}" autocomplete="off" checked' in form
    assert "Link INC-7, open on Nightly VMs" in text_of(form)
    assert "Make another anyway" in text_of(form)
    answer = operator.post("/tickets/add", data={"runs": str(new), **linking}, headers=SCRIPT)
    assert answer.json()["text"] == "Linked to 1 run of Nightly VMs."


def test_of_two_people_the_slower_one_learns_of_the_others_ticket_and_links_that(operator: Browser) -> None:
    job = a_job(FAILED)
    ticket_id = a_ticket(job.run_id, code="INC-7")

    answer = add(operator, job, **field(job, how="new", code="INC-8", description="typed"))

    assert answer.status_code == 409
    assert "has an open ticket, INC-7: link that one instead." in text_of(answer.text)
    assert f'value="link-{ticket_id}" autocomplete="off" checked' in answer.text
    assert 'value="INC-8"' in answer.text
    assert ">typed</textarea>" in answer.text
    assert set(made()) == {"INC-7"}


def test_another_one_can_be_made_anyway(operator: Browser) -> None:
    job = a_job(FAILED)
    a_ticket(job.run_id, code="INC-7")

    add(operator, job, **field(job, how="another", code="INC-8"))

    assert made() == {"INC-7": {job.run_id}, "INC-8": {job.run_id}}


def test_a_code_that_is_taken_offers_the_ticket_that_has_it(operator: Browser) -> None:
    one = a_job(FAILED)
    ticket_id = a_ticket(one.run_id, code="INC-7")
    with transaction() as db:
        resolved_for = select(TicketScope).where(TicketScope.ticket_id == ticket_id)
        db.scalars(resolved_for).one().resolved_at = db.get_one(Ticket, ticket_id).start_date

    answer = add(operator, one, **field(one, how="new", code="inc-7"))

    assert answer.status_code == 409
    assert f'value="link-{ticket_id}"' in answer.text


def test_an_open_ticket_is_found_by_its_code_words_or_job_and_linked(operator: Browser) -> None:
    one = a_job(FAILED, customer="Acme BV", name="Servers")
    a_ticket(one.run_id, code="INC-7", description="the switch is broken")
    a_ticket(a_job(FAILED).run_id, code="INC-8", description="another customer's switch")
    customer_id = customer_of(one)

    offered = [
        operator.get(f"/tickets/options/{customer_id}", params={f"ticket-{customer_id}": words}).text
        for words in ("inc", "switch", "servers", "nothing like it")
    ]
    add(operator, one, **field(one, how="link", ticket="inc-7"))

    assert [text.count('role="option"') for text in offered] == [1, 1, 1, 0]
    assert made()["INC-7"] == {one.run_id}


def test_only_an_open_ticket_of_the_same_customer_can_be_linked(operator: Browser) -> None:
    job, other = a_job(FAILED), a_job(FAILED)
    foreign = a_ticket(other.run_id, code="INC-8")

    named = add(operator, job, **field(job, how="link", ticket="INC-8"))
    forged = add(operator, job, **field(job, how=f"link-{foreign}"))
    resolve(foreign)
    over = add(operator, other, **field(other, how="link", ticket="INC-8"))

    assert [answer.status_code for answer in (named, forged, over)] == [422, 422, 422]
    assert "no open ticket with this code" in named.text
    assert made() == {"INC-8": {other.run_id}}


def test_where_autotask_makes_tickets_title_and_description_are_filled_in(operator: Browser) -> None:
    job = a_job(FAILED, customer="Acme BV", name="Nightly VMs", message="disk full")
    with_autotask(customer_of(job))

    form = operator.post("/tickets/new", data={"runs": job.pairs}, headers=SCRIPT).text

    assert "New ticket at Autotask" in text_of(form)
    assert 'value="Backup failed: Acme BV – Nightly VMs"' in form
    assert "disk full" in form
    assert '<option value="5" selected>Service desk</option>' in form


def test_autotask_is_asked_for_it_and_the_ticket_shows_at_once(operator: Browser) -> None:
    job = a_job(FAILED)
    with_autotask(customer_of(job))
    typed = field(job, how="new", title="Disk full", description="on SQL01", queue_id="6", priority_id="")

    answer = add(operator, job, **typed)

    assert answer.json()["text"] == "Autotask is asked for a ticket on 1 run of Nightly."
    with transaction() as db:
        errand = db.scalars(select(Errand)).one()
        assert (errand.kind, errand.content) == (ErrandKind.CREATE, {"queue_id": "6"})
    assert "being made…" in operator.get(f"/run-checks/jobs/{job.job_id}", headers=SCRIPT).text


def test_a_queue_that_nobody_offered_is_refused(operator: Browser) -> None:
    job = a_job(FAILED)
    with_autotask(customer_of(job))

    answer = add(operator, job, **field(job, how="new", title="Disk full", queue_id="77"))

    assert answer.status_code == 422
    assert "no such queue any more" in text_of(answer.text)
    assert made() == {}


def test_where_a_customer_is_not_mapped_a_code_is_asked_for_and_why_is_said(operator: Browser) -> None:
    job = a_job(FAILED, customer="Acme BV")
    with_autotask()

    form = operator.post("/tickets/new", data={"runs": job.pairs}, headers=SCRIPT).text
    add(operator, job, **field(job, how="new", code="T20260601.0001"))

    assert "Acme BV has no company at Autotask yet" in text_of(form)
    assert made() == {"T20260601.0001": {job.run_id}}


def test_a_remark_is_on_the_runs_of_each_customer(operator: Browser) -> None:
    one, other = a_job(FAILED, SUCCESS), a_job(FAILED)

    data = {"runs": f"{one.pairs},{other.pairs}", "body": " disks are ordered "}
    answer = operator.post("/tickets/remarks/add", data=data, headers=SCRIPT)

    assert answer.json()["text"] == "2 remarks added, one for each customer."
    with transaction() as db:
        assert db.scalars(select(Remark.body)).all() == ["disks are ordered"] * 2
        assert set(db.scalars(select(RemarkRun.job_run_id))) == {one.run_ids[0], other.run_id}


def test_an_empty_remark_is_asked_for_again(operator: Browser) -> None:
    job = a_job(FAILED)

    answer = operator.post("/tickets/remarks/add", data={"runs": job.pairs, "body": "  "}, headers=SCRIPT)

    assert answer.status_code == 422
    assert "Type the remark" in answer.text


@pytest.mark.parametrize("path", ["/tickets/new", "/tickets/add", "/tickets/remarks/new", "/tickets/remarks/add"])
def test_nothing_is_made_of_nothing_or_of_runs_that_are_gone(path: str, operator: Browser) -> None:
    nothing = operator.post(path, data={"runs": ""}, headers=SCRIPT)
    gone = operator.post(path, data={"runs": "999:1", "body": "x"}, headers=SCRIPT)
    garbled = operator.post(path, data={"runs": "1;2"}, headers=SCRIPT)

    assert nothing.json()["text"] == "Select at least one run first."
    assert gone.status_code in {200, 404}
    assert garbled.status_code == 422
    assert made() == {}


def test_by_hand_a_ticket_is_made_for_jobs_of_a_customer(operator: Browser) -> None:
    job = a_job(FAILED, customer="Acme BV", name="Nightly VMs")
    customer_id = customer_of(job)

    choose = operator.get("/tickets/new", params={"q": "acme"})
    form = operator.get("/tickets/new", params={"customer_id": customer_id})
    data = {"customer": str(customer_id), "job": str(job.job_id), **field(job, how="new", code="INC-7")}
    answer = operator.post("/tickets/add", data=data)

    assert "Acme BV" in text_of(choose.text)
    assert "Nightly VMs" in text_of(form.text)
    assert answer.status_code == 303
    assert made() == {"INC-7": {job.run_id}}


def test_by_hand_without_a_job_it_is_asked_for(operator: Browser) -> None:
    job = a_job(FAILED)
    data = {"customer": str(customer_of(job)), **field(job, how="new", code="INC-7")}

    answer = operator.post("/tickets/add", data=data)

    assert answer.status_code == 422
    assert "Choose at least one job." in text_of(answer.text)
    assert 'value="INC-7"' in answer.text


def test_by_hand_a_remark_is_made_for_jobs(operator: Browser) -> None:
    job = a_job(SUCCESS)
    data = {"customer": str(customer_of(job)), "job": str(job.job_id), "body": "replaced in May"}

    answer = operator.post("/tickets/remarks/add", data=data)

    assert answer.status_code == 303
    with transaction() as db:
        assert db.scalars(select(Remark.body)).all() == ["replaced in May"]


@pytest.mark.parametrize("role", ["viewer", "reporter"])
def test_who_only_reads_makes_none(role: str, request: pytest.FixtureRequest) -> None:
    browser: Browser = request.getfixturevalue(role)
    job = a_job(FAILED)

    answers = [
        browser.post("/tickets/new", data={"runs": job.pairs}),
        add(browser, job, **field(job, how="new", code="INC-7")),
        browser.post("/tickets/remarks/add", data={"runs": job.pairs, "body": "x"}),
        browser.get("/tickets/new"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4
    assert made() == {}
