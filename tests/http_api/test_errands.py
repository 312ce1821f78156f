"""The page of what is under way to the ticketing system."""

from datetime import timedelta

from sqlalchemy import select, update

from shared import clock
from shared.clients.queues import queues_in_this_process
from shared.db.session import transaction
from shared.domain.queue_message import Queue, TicketTask, TicketWork
from shared.domain.status import Status
from shared.domain.ticket import ErrandState, TicketSource
from shared.models.system import SystemSettings
from shared.models.ticketing import Errand, TicketingCall, TicketingSettings, TicketingState
from shared.models.tickets import Ticket
from shared.services.ticketing_breaker import DatabaseBreaker
from shared.settings import settings
from tests.builders import make_run
from tests.http_api.client import Browser
from tests.http_api.lists import counted_statements, rows, text_of
from tests.http_api.ticket_world import being_made, of_autotask, resolve

PATH = "/manage/errands"


def an_errand(title: str = "Backup failed", **values: object) -> int:
    """Return the id of the errand of a ticket that is being made; `values` are columns of it."""
    with transaction() as db:
        db.execute(update(TicketingSettings).values(provider=TicketSource.AUTOTASK))
        run_id = make_run(db, status=Status.FAILED).id
    ticket_id = being_made(run_id, title=title)
    with transaction() as db:
        db.execute(update(Errand).where(Errand.ticket_id == ticket_id).values(**values) if values else select(1))
        return db.scalars(select(Errand.id).where(Errand.ticket_id == ticket_id)).one()


def failed(title: str = "Backup failed", says: str = "Picklist value [99] does not exist for priority.") -> int:
    return an_errand(title, state=ErrandState.FAILED, last_error=says, attempts=1)


def unsettled() -> int:
    due_at = clock.now() + timedelta(minutes=5)
    return an_errand(was_sent=True, due_at=due_at, last_error="Autotask did not answer in time: done or not.")


def state_of(errand_id: int) -> tuple[ErrandState, bool] | None:
    with transaction() as db:
        errand = db.get(Errand, errand_id)
        return (errand.state, errand.is_withdrawn) if errand else None


def kicks() -> list[TicketTask]:
    queues, found = queues_in_this_process(), []
    while (taken := queues.take(Queue.TICKET_ERRANDS.value)) is not None:
        found.append(TicketWork.from_json(taken.body).task)
        queues.remove(taken)
    return found


def test_without_any_the_page_says_so(admin: Browser) -> None:
    page = text_of(admin.get(PATH).text)

    assert "Nothing is under way." in page
    assert "No request was made yet." in page


def test_what_failed_comes_first_and_each_says_why(admin: Browser) -> None:
    an_errand("Waits")
    failed("<b>Failed</b>")
    unsettled()

    page = admin.get(PATH)

    first, *others = rows(page)
    assert "Picklist value [99] does not exist for priority." in first
    assert "Failed" in first
    assert any("Not sent yet." in row for row in others)
    assert any("It may have got through" in row for row in others)
    assert "<b>Failed" not in page.text
    assert "1 failed, 2 waiting" in text_of(page.text)


def test_what_failed_is_sent_again_at_once(admin: Browser) -> None:
    errand = failed()
    kicks()

    answer = admin.post(f"{PATH}/retry", data={"errand": errand})

    assert answer.headers["location"] == PATH
    assert (state_of(errand), kicks()) == ((ErrandState.WAITING, False), [TicketTask.SEND])


def test_what_may_have_got_through_is_neither_sent_again_nor_forgotten(admin: Browser) -> None:
    errand = unsettled()

    retried = admin.post(f"{PATH}/retry", data={"errand": errand})
    asked = admin.post(f"{PATH}/cancel", data={"errand": errand})
    admin.post(f"{PATH}/cancel", data={"errand": errand, "confirmed": "1"})

    assert retried.status_code == 409
    assert "It may have been made in spite of the trouble." in text_of(asked.text)
    assert state_of(errand) == (ErrandState.WAITING, True)


def test_what_was_given_up_for_lost_is_sent_again_once_that_is_confirmed(admin: Browser) -> None:
    errand = an_errand(state=ErrandState.FAILED, was_sent=True, times_lost=2, last_error="It was sent twice.")

    button = text_of(admin.get(PATH).text)
    asked = admin.post(f"{PATH}/retry", data={"errand": errand})
    before = state_of(errand)
    admin.post(f"{PATH}/retry", data={"errand": errand, "confirmed": "1"})

    assert "Send again…" in button
    assert "there may be two" in text_of(asked.text)
    assert (before, state_of(errand)) == ((ErrandState.FAILED, False), (ErrandState.WAITING, False))


def test_what_can_not_be_looked_for_is_looked_for_again(admin: Browser) -> None:
    errand = an_errand(state=ErrandState.FAILED, was_sent=True, is_withdrawn=True, last_error="Not allowed.")

    [row] = rows(admin.get(PATH))
    admin.post(f"{PATH}/retry", data={"errand": errand})

    assert "Look again" in row
    assert "Cancel" not in row
    assert state_of(errand) == (ErrandState.WAITING, True)
    assert "Look again" not in rows(admin.get(PATH))[0]


def test_a_ticket_that_was_never_sent_is_gone_once_that_is_confirmed(admin: Browser) -> None:
    errand = failed()

    asked = admin.post(f"{PATH}/cancel", data={"errand": errand})
    before = state_of(errand)
    admin.post(f"{PATH}/cancel", data={"errand": errand, "confirmed": "1"})

    assert "The ticket was never made. It goes from here too" in text_of(asked.text)
    assert (before, state_of(errand)) == ((ErrandState.FAILED, False), None)
    assert "The ticket was never made, and is gone here too." in admin.get(PATH).text


def test_a_word_that_is_not_to_be_sent_says_what_that_means(admin: Browser) -> None:
    errand = an_errand(state=ErrandState.DONE, done_at=clock.now())
    with transaction() as db:
        ticket_id = db.get_one(Errand, errand).ticket_id
    of_autotask(ticket_id, [])
    resolve(ticket_id)
    with transaction() as db:
        word = db.scalars(select(Errand.id).where(Errand.state == ErrandState.WAITING)).one()

    asked = admin.post(f"{PATH}/cancel", data={"errand": word})
    admin.post(f"{PATH}/cancel", data={"errand": word, "confirmed": "1"})

    assert "so it is open here again at once" in text_of(asked.text)
    assert state_of(word) == (ErrandState.CANCELLED, False)
    assert "It is open here again, as it is over there." in admin.get(PATH).text


def test_who_was_slower_is_told(admin: Browser) -> None:
    errand = an_errand(state=ErrandState.DONE, done_at=clock.now())

    assert admin.post(f"{PATH}/cancel", data={"errand": errand}).status_code == 404
    assert admin.post(f"{PATH}/retry", data={"errand": errand}).status_code == 409


def test_a_refused_sign_in_is_told_with_the_cure(admin: Browser) -> None:
    an_errand()
    DatabaseBreaker(settings()).open("Autotask refused the user or the secret (401)")

    page = admin.get(PATH)

    assert "Nothing is sent to it, because each try counts towards a lock" in text_of(page.text)
    assert "). Autotask refused the user or the secret (401). Nothing is sent" in text_of(page.text)
    assert 'action="/manage/settings/autotask/test"' in page.text


def test_tickets_that_vanished_at_once_wait_for_a_persons_word(admin: Browser) -> None:
    with transaction() as db:
        db.execute(update(TicketingSettings).values(provider=TicketSource.AUTOTASK))
        db.execute(update(TicketingState).values(vanished=12, poll_error="12 of 20 tickets are not to be seen."))

    page = admin.get(PATH)
    kicks()
    admin.post(f"{PATH}/poll-anyway")

    assert "12 of 20 tickets are not to be seen." in text_of(page.text)
    assert kicks() == [TicketTask.POLL_ANYWAY]


def test_a_sandbox_and_tickets_by_hand_are_told(admin: Browser) -> None:
    an_errand()
    with transaction() as db:
        db.execute(update(TicketingSettings).values(provider=TicketSource.MANUAL))
        db.execute(update(SystemSettings).values(is_sandbox=True))

    page = text_of(admin.get(PATH).text)

    assert "Tickets are kept by hand for now" in page
    assert "This is a sandbox" in page


def test_the_last_calls_are_shown_newest_first(admin: Browser) -> None:
    with transaction() as db:
        for number in range(60):
            db.add(
                TicketingCall(
                    at=clock.now(), method="GET", path=f"Tickets/{number}", status=0 if number else 200,
                    took_ms=1_250, attempt=1, error="Unavailable" if number else "",
                )
            )  # fmt: skip

    calls = rows(admin.get(PATH))

    assert len(calls) == 50
    assert "GET Tickets/59 – 1,250 ms 1 Unavailable" in calls[0]


def test_a_full_page_costs_a_few_statements(admin: Browser) -> None:
    for number in range(3):
        failed(f"Ticket {number}")
    with counted_statements() as few:
        admin.get(PATH)
    for number in range(20):
        failed(f"Further {number}")
    with counted_statements() as many:
        admin.get(PATH)

    assert len(many) == len(few)
    with transaction() as db:
        assert len(db.scalars(select(Ticket.id)).all()) == 23
