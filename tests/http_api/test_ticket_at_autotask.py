"""What the pages of a ticket say about how it stands at Autotask."""

from collections.abc import Iterator

import pytest

from shared import clock
from shared.db.session import transaction
from shared.domain.status import Status
from shared.domain.ticket import TicketSource
from shared.domain.ticketing import Mismatch
from shared.services.audit import SYSTEM, record_act
from tests.autotask_world import tenant_in_the_environment
from tests.fake_autotask import FakeAutotask
from tests.http_api.client import Browser
from tests.http_api.lists import rows, text_of
from tests.http_api.run_checks_world import a_job
from tests.http_api.ticket_world import a_ticket, change_ticket, resolve

CODE = "T20260601.0009"
COMPANY = "At Autotask this is now another company's ticket."
NUMBER = "At Autotask another ticket has its id, with another number."


@pytest.fixture
def tenant(monkeypatch: pytest.MonkeyPatch, settings_of_the_test: None) -> Iterator[FakeAutotask]:
    with tenant_in_the_environment(monkeypatch) as running:
        yield running


def kept_there(**facts: object) -> int:
    """Return a ticket that is kept by Autotask."""
    ticket_id = a_ticket(a_job(Status.FAILED).run_id, code=CODE)
    change_ticket(ticket_id, source=TicketSource.AUTOTASK, remote_id="77", **facts)
    return ticket_id


@pytest.mark.parametrize("mismatch, hint", [(Mismatch.COMPANY, COMPANY), (Mismatch.NUMBER, NUMBER)])
def test_one_that_is_another_ticket_there_says_so(operator: Browser, mismatch: Mismatch, hint: str) -> None:
    ticket_id = kept_there(remote_mismatch=mismatch)

    page = text_of(operator.get(f"/tickets/{ticket_id}").text)

    assert f"{hint} It is not followed, and nothing is sent to it." in page
    assert f"{CODE} Open {hint.removesuffix('.')}" in rows(operator.get("/tickets"))[0]


def test_one_that_is_itself_says_nothing_of_the_kind(operator: Browser) -> None:
    ticket_id = kept_there()

    page = operator.get(f"/tickets/{ticket_id}").text + operator.get("/tickets").text

    assert COMPANY.removesuffix(".") not in page
    assert NUMBER.removesuffix(".") not in page


def test_its_history_tells_when_it_was_another_one_and_when_it_was_itself_again(operator: Browser) -> None:
    ticket_id = kept_there()
    with transaction() as db:
        for action, mismatch in (("not_recognised", "company"), ("recognised", None), ("not_recognised", "number")):
            facts = {"code": CODE, "found": "T20250101.0007", "mismatch": mismatch}
            record_act(
                db, SYSTEM, f"ticket.{action}", subject_type="ticket", subject_id=ticket_id, after=facts,
                now=clock.now(),
            )  # fmt: skip

    page = text_of(operator.get(f"/tickets/{ticket_id}").text)

    for said in (
        "found that at Autotask it is another company's ticket now",
        "found that at Autotask it is this ticket again",
        "found that at Autotask its id is that of T20250101.0007",
    ):
        assert said in page


def test_a_deletion_is_taken_back_when_the_ticket_is_there_again(tenant: FakeAutotask, operator: Browser) -> None:
    ticket_id = kept_there(deleted_at=clock.now())
    change_ticket(ticket_id, remote_id=tenant.add_ticket(ticketNumber=CODE))
    look = f"/tickets/{ticket_id}/look"
    assert look in operator.get(f"/tickets/{ticket_id}").text

    operator.post(look)

    page = text_of(operator.get(f"/tickets/{ticket_id}").text)
    assert "Proven deleted" not in page
    assert "found it again at Autotask" in page


@pytest.mark.parametrize("reopened_since, said", [(False, "by the system"), (True, "at Autotask")])
def test_where_good_runs_resolved_it_that_was_not_at_autotask(
    operator: Browser, *, reopened_since: bool, said: str
) -> None:
    """Nobody did it in either case; only what was resolved here was to be told to Autotask."""
    ticket_id = kept_there()
    resolve(ticket_id)
    if reopened_since:
        change_ticket(ticket_id, reopened_at=clock.now(), resolved_at=clock.now())

    page = text_of(operator.get(f"/tickets/{ticket_id}").text)

    assert f", {said}" in page.partition("Resolved ")[2]


def test_what_was_resolved_there_says_so(operator: Browser) -> None:
    ticket_id = kept_there(resolved_at=clock.now())

    assert ", at Autotask" in text_of(operator.get(f"/tickets/{ticket_id}").text)
