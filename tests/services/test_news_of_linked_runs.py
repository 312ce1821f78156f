"""A ticket hears of what a run says that it is linked to already, whenever the run comes to say it."""

from datetime import timedelta

from sqlalchemy import update

from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.schedules import JobSlot
from shared.models.tickets import TicketRun
from tests.builders import runs_of
from tests.override_builders import make_told_run
from tests.services.test_incidents import fails, look, misses, notes
from tests.services.ticket_world import TicketWorld


def linked_long_ago(world: TicketWorld) -> None:
    """Let hours pass since everything was linked, and the ticket be looked after meanwhile."""
    world.db.execute(update(TicketRun).values(linked_at=world.now))
    world.db.commit()
    for _ in range(3):
        world.later(hours=1)
        look(world)


def tries(world: TicketWorld, job_id: int, says: str, *, retry: int | None = None) -> None:
    make_told_run(world.db, job_id, {"SRV-01": (Status.FAILED, says)}, run_at=world.now, retry=retry)
    world.db.commit()


def test_a_retry_that_fails_for_another_reason_is_told(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    tickets.made(fails(tickets, job_id).id)
    tickets.later(days=1)
    tries(tickets, job_id, "disk full")
    linked_long_ago(tickets)
    assert notes(tickets) == []

    tries(tickets, job_id, "access denied", retry=1)
    look(tickets)

    [note] = notes(tickets)
    assert "access denied" in note


def test_a_retry_that_says_the_same_is_not_told(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    tickets.made(fails(tickets, job_id).id)
    tickets.later(days=1)
    tries(tickets, job_id, "disk full")
    linked_long_ago(tickets)

    tries(tickets, job_id, "disk full", retry=1)
    look(tickets)

    assert notes(tickets) == []


def test_a_mail_that_takes_over_its_missed_run_late_is_told(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    missed_id = misses(tickets, job_id)
    hour = timedelta(hours=1)
    tickets.db.add(
        JobSlot(
            job_id=job_id, slot_at=tickets.now, day=tickets.now.date(), early_from=tickets.now - hour,
            deadline=tickets.now + hour, state=SlotState.MISSED, run_id=missed_id,
        )
    )  # fmt: skip
    tickets.db.commit()
    tickets.made(missed_id)
    linked_long_ago(tickets)

    run = fails(tickets, job_id, says="access denied")
    look(tickets)

    [note] = notes(tickets)
    assert (run.id, "access denied" in note) == (missed_id, True)


def test_what_is_found_missing_by_a_report_that_came_late_is_told(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    nights = [tickets.now - timedelta(days=days) for days in range(1, 6)]
    for at in nights[1:]:
        tickets.run(job_id, Status.SUCCESS, objects=["SRV-01", "SRV-02"], complete=True, run_at=at)
    tickets.made(fails(tickets, job_id).id)
    tickets.later(days=1)
    tickets.run(job_id, Status.SUCCESS, objects=["SRV-01"], complete=True)
    linked_long_ago(tickets)

    tickets.run(job_id, Status.SUCCESS, objects=["SRV-01", "SRV-02"], complete=True, run_at=nights[0])
    look(tickets)

    [note] = notes(tickets)
    assert "SRV-02" in note


def test_what_a_retry_says_while_the_ticket_is_yet_to_be_made_is_told(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    tries(tickets, job_id, "disk full")
    tickets.ticket(runs_of(tickets.db, job_id)[0].id, description="Nightly: failed, disk full")
    tickets.later(hours=1)
    tries(tickets, job_id, "access denied", retry=1)
    tickets.send()

    look(tickets)

    [note] = notes(tickets)
    assert "access denied" in note


def test_a_run_that_is_good_after_all_is_not_told(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    tickets.made(fails(tickets, job_id).id)
    tickets.later(days=1)
    tries(tickets, job_id, "access denied")
    look(tickets)
    linked_long_ago(tickets)
    told = notes(tickets)

    make_told_run(tickets.db, job_id, {"SRV-01": (Status.SUCCESS, "")}, run_at=tickets.now, retry=1)
    tickets.db.commit()
    tickets.later(days=1)
    look(tickets)

    assert (len(told), notes(tickets)) == (1, told)
