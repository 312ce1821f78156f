"""Who wants to know now how a ticket is looks at this one, and not at Autotask again and again."""

import pytest
from sqlalchemy import select, update

from shared.models.jobs import JobRun
from shared.models.tickets import Ticket
from shared.services import errors
from shared.services.refresh_ticket import DEBOUNCE, Refreshed
from tests.fake_autotask import Fault
from tests.services.ticket_world import TicketWorld


def test_somebody_who_wants_to_know_now_asks_once_in_half_a_minute(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.fake.close_ticket(tickets.remote(ticket_id))
    tickets.later(minutes=1)
    before = len(tickets.fake.signed_calls)

    looks = [tickets.refresh(ticket_id) for _ in range(3)]
    tickets.later(seconds=DEBOUNCE.total_seconds())
    looks.append(tickets.refresh(ticket_id))

    assert looks == [Refreshed.SEEN, Refreshed.FRESH, Refreshed.FRESH, Refreshed.SEEN]
    assert len(tickets.fake.signed_calls) - before == 2
    assert tickets.stored(ticket_id).resolved_at is not None


def test_a_look_at_one_ticket_tells_hidden_from_deleted(tickets: TicketWorld) -> None:
    hidden, deleted = (tickets.made(tickets.run(tickets.job()).id) for _ in range(2))
    tickets.fake.hide(tickets.remote(hidden))
    tickets.fake.delete_ticket(tickets.remote(deleted))
    tickets.later(minutes=1)

    assert [tickets.refresh(each) for each in (hidden, deleted)] == [Refreshed.HIDDEN, Refreshed.DELETED]
    assert [tickets.stored(each).deleted_at is None for each in (hidden, deleted)] == [True, False]


def test_a_deleted_ticket_that_is_there_after_all_is_taken_up_again(tickets: TicketWorld) -> None:
    run = tickets.run(tickets.job())
    ticket_id = tickets.made(run.id)
    tickets.db.execute(update(Ticket).where(Ticket.id == ticket_id).values(deleted_at=tickets.now))
    tickets.db.execute(update(JobRun).where(JobRun.id == run.id).values(autotask_ticket_deleted_at=tickets.now))
    tickets.db.commit()
    tickets.later(minutes=1)

    tickets.refresh(ticket_id)

    run_mark = tickets.db.scalar(select(JobRun.autotask_ticket_deleted_at).where(JobRun.id == run.id))
    assert (tickets.stored(ticket_id).deleted_at, run_mark) == (None, None)
    assert tickets.acts(ticket_id)[-1] == "ticket.restored"


def test_a_ticket_that_nobody_has_made_yet_can_not_be_looked_up(tickets: TicketWorld) -> None:
    ticket_id = tickets.ticket(tickets.run(tickets.job()).id)

    with pytest.raises(errors.Conflict, match="nothing to look up"):
        tickets.refresh(ticket_id)


def test_when_autotask_does_not_answer_the_one_who_asked_is_told(tickets: TicketWorld) -> None:
    ticket_id = tickets.made(tickets.run(tickets.job()).id)
    tickets.fake.plan(Fault.of(503, on=r"Tickets/\d+$", times=None))
    tickets.later(minutes=1)

    with pytest.raises(errors.Upstream, match="503"):
        tickets.refresh(ticket_id)

    tickets.fake.faults.clear()
    tickets.fake.close_ticket(tickets.remote(ticket_id))
    tickets.later(seconds=10)  # nobody has looked just now
    assert tickets.refresh(ticket_id) is Refreshed.SEEN
    assert tickets.stored(ticket_id).resolved_at is not None
