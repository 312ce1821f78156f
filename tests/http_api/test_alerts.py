"""Which tickets and remarks concern a run: those linked to it, and tickets open on its job since its day."""

from datetime import timedelta
from typing import Any

import pytest

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.services.audit import SYSTEM
from shared.services.record_run import record_missed_run
from shared.services.remarks import resolve_remark
from shared.services.tickets import resolve_scope
from tests.http_api.client import Browser
from tests.http_api.run_checks_world import a_job, a_run
from tests.http_api.ticket_world import a_remark, a_ticket, being_made, change_ticket, of_autotask, resolve

FAILED, SUCCESS = Status.FAILED, Status.SUCCESS


def asked(browser: Browser, run_id: int) -> dict[str, Any]:
    found: dict[str, Any] = browser.get(f"/api/job-runs/{run_id}/alerts").json()
    return found


def tickets(browser: Browser, run_id: int) -> list[tuple[str | None, str]]:
    return [(each["code"], each["source"]) for each in asked(browser, run_id)["tickets"]]


def test_a_run_without_any_has_two_empty_lists(operator: Browser) -> None:
    assert asked(operator, a_job(FAILED).run_id) == {"tickets": [], "remarks": []}


def test_a_ticket_and_a_remark_are_told_as_promised(operator: Browser) -> None:
    job = a_job(FAILED)
    ticket_id = a_ticket(job.run_id, code="INC-7", description="disk full")
    remark_id = a_remark(job.run_id, body="disks are ordered")
    today = clock.now() - timedelta(hours=1)

    told = asked(operator, job.run_id)

    (ticket,) = told["tickets"]
    assert ticket.pop("active_from") in {today.date().isoformat(), (today + timedelta(hours=2)).date().isoformat()}
    assert ticket == {
        "id": ticket_id,
        "code": "INC-7",
        "description": "disk full",
        "resolved_at": None,
        "source": "link",
        "autotask_number": None,
    }
    assert told["remarks"] == [{"id": remark_id, "body": "disks are ordered", "resolved_at": None}]


def test_the_ticket_of_autotask_tells_its_number(operator: Browser) -> None:
    job = a_job(FAILED)
    of_autotask(a_ticket(job.run_id), job.run_ids, "T20260601.0009")

    assert asked(operator, job.run_id)["tickets"][0]["autotask_number"] == "T20260601.0009"


def test_a_ticket_shows_at_once_and_not_only_after_it_was_resolved(operator: Browser) -> None:
    """Once only the link was looked at, which then was made by resolving."""
    job = a_job(FAILED, FAILED)
    a_ticket(job.run_ids[0], code="INC-7")

    assert [tickets(operator, run_id) for run_id in job.run_ids] == [[("INC-7", "link")], [("INC-7", "scope")]]


def test_one_that_is_linked_and_open_on_the_job_is_told_once(operator: Browser) -> None:
    job = a_job(FAILED)
    a_ticket(job.run_id, code="INC-7")

    assert tickets(operator, job.run_id) == [("INC-7", "link")]


def test_a_ticket_being_made_shows_without_a_code(operator: Browser) -> None:
    job = a_job(FAILED)
    being_made(job.run_id)

    assert tickets(operator, job.run_id) == [(None, "link")]


def test_a_run_from_before_the_ticket_was_active_is_not_concerned_by_it(operator: Browser) -> None:
    job = a_job(FAILED, FAILED, FAILED)
    a_ticket(job.run_ids[1])

    assert [len(tickets(operator, run_id)) for run_id in job.run_ids] == [0, 1, 1]


def test_a_resolved_ticket_stays_with_the_runs_it_is_linked_to_and_no_others(operator: Browser) -> None:
    job = a_job(FAILED, FAILED)
    ticket_id = a_ticket(job.run_ids[0], code="INC-7")
    resolve(ticket_id)
    new = a_run(job.job_id, FAILED)

    assert tickets(operator, job.run_ids[0]) == [("INC-7", "link")]
    assert tickets(operator, job.run_ids[1]) == tickets(operator, new) == []
    assert asked(operator, job.run_ids[0])["tickets"][0]["resolved_at"] is not None


def test_a_ticket_resolved_for_one_job_is_told_as_resolved_for_its_runs_only(operator: Browser) -> None:
    one = a_job(FAILED, FAILED, name="One")
    ticket_id = a_ticket(one.run_ids[1])

    with transaction() as db:
        resolve_scope(db, ticket_id, one.job_id, actor=SYSTEM, now=clock.now())

    assert asked(operator, one.run_ids[1])["tickets"][0]["resolved_at"] is not None
    assert tickets(operator, a_run(one.job_id, FAILED)) == []


def test_a_deleted_ticket_stays_linked_and_is_open_nowhere(operator: Browser) -> None:
    job = a_job(FAILED)
    change_ticket(a_ticket(job.run_id, code="INC-7"), deleted_at=clock.now())

    assert tickets(operator, job.run_id) == [("INC-7", "link")]
    assert tickets(operator, a_run(job.job_id, FAILED)) == []


def test_a_missed_run_has_the_tickets_and_remarks_of_its_job(operator: Browser) -> None:
    """Once they reached only runs that a mail made."""
    job = a_job(FAILED)
    a_ticket(job.run_id, code="INC-7")
    a_remark(job.run_id)

    with transaction() as db:
        missed = record_missed_run(db, job.job_id, slot_at=clock.now(), message="no report came")
    assert missed is not None

    assert tickets(operator, missed) == [("INC-7", "link")]
    assert len(asked(operator, missed)["remarks"]) == 1


def test_remarks_are_told_only_where_they_are_linked(operator: Browser) -> None:
    job = a_job(FAILED, FAILED)
    remark_id = a_remark(job.run_ids[0])
    with transaction() as db:
        resolve_remark(db, remark_id, actor=SYSTEM, now=clock.now())

    first, second = (asked(operator, run_id)["remarks"] for run_id in job.run_ids)

    assert [(each["id"], each["resolved_at"] is None) for each in first] == [(remark_id, False)]
    assert second == []


def test_of_no_run_there_is_nothing_and_it_says_so_in_json(operator: Browser) -> None:
    answer = operator.get("/api/job-runs/999/alerts")

    assert answer.status_code == 404
    assert "doesn't exist" in answer.json()["detail"]


@pytest.mark.parametrize("role", ["viewer", "reporter"])
def test_who_has_no_run_checks_is_told_nothing(role: str, request: pytest.FixtureRequest) -> None:
    browser: Browser = request.getfixturevalue(role)

    assert browser.get(f"/api/job-runs/{a_job(SUCCESS).run_id}/alerts").status_code == 403


def test_the_documentation_of_the_api_tells_the_shape(operator: Browser) -> None:
    api = operator.get("/api/openapi.json").json()

    shape = api["paths"]["/api/job-runs/{run_id}/alerts"]["get"]["responses"]["200"]["content"]["application/json"]
    assert shape["schema"]["$ref"].endswith("/AlertsOfRun")
    ticket = api["components"]["schemas"]["TicketOfRun"]["properties"]
    assert set(ticket) == {"id", "code", "description", "active_from", "resolved_at", "source", "autotask_number"}
