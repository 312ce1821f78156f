"""One incident, one ticket: it hears what is new, and not what it knows."""

import pytest
from sqlalchemy import update

from shared.domain.status import Status
from shared.domain.ticket import ErrandKind
from shared.models.jobs import JobRun
from shared.models.mail import MailObject
from shared.models.ticketing import TicketingSettings
from shared.queries.incidents import other_causes, still_failing
from shared.services.audit import SYSTEM
from shared.services.record_run import record_missed_run
from shared.services.tickets import add_manual_ticket, reopen_ticket, resolve_scope
from tests.services.ticket_world import TicketWorld


def fails(
    world: TicketWorld, job_id: int, *names: str, says: str = "disk full", status: Status = Status.FAILED
) -> JobRun:
    """Let a run of now fail with these objects, each for the same reason."""
    run = world.run(job_id, status, objects=names or ["SRV-01"])
    world.db.execute(update(MailObject).where(MailObject.reading_id == run.reading_id).values(message=says))
    world.db.commit()
    return run


def misses(world: TicketWorld, job_id: int) -> int:
    run_id = record_missed_run(world.db, job_id, slot_at=world.now, message=f"no report for the slot of {world.now}")
    world.db.commit()
    assert run_id is not None
    return run_id


def look(world: TicketWorld) -> None:
    world.look_after_incidents()
    world.send()


def notes(world: TicketWorld) -> list[str]:
    return [note["description"] for note in world.fake.notes]


def test_thirty_failing_nights_are_one_ticket_and_at_most_three_notes(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    tickets.made(fails(tickets, job_id).id)
    for night in range(1, 30):
        tickets.later(days=1)
        says = f"disk full: {night * 17} GB of {night}00 GB used" if night < 10 else "the network path was not found"
        fails(tickets, job_id, *(["SRV-01", "SRV-02"] if night % 7 == 0 else ["SRV-01"]), says=says)
        look(tickets)
        look(tickets)

    assert len(tickets.fake.tickets) == 1
    assert 1 <= len(notes(tickets)) <= 3
    assert "the network path was not found" in "".join(notes(tickets))


def test_the_same_error_on_the_same_objects_is_no_news(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    tickets.made(fails(tickets, job_id, "SRV-01", "SRV-02", says="error 0x80070035 at 22:01:17").id)
    for _ in range(5):
        tickets.later(days=1)
        fails(tickets, job_id, "SRV-02", says=f"Error 0x80070035 at {tickets.now:%d.%m.%Y %H:%M:%S}")
        look(tickets)

    assert notes(tickets) == []


def test_hundreds_of_bad_objects_are_no_news_the_next_night(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    names = [f"mailbox {number}" for number in range(300)]
    tickets.made(fails(tickets, job_id, *names).id)
    for _ in range(3):
        tickets.later(days=1)
        fails(tickets, job_id, *names)
        look(tickets)

    assert notes(tickets) == []


def test_another_error_and_other_objects_are_told_once_each(tickets: TicketWorld) -> None:
    job_id = tickets.job("Nightly")
    tickets.made(fails(tickets, job_id).id)
    for names, says in ((["SRV-01"], "access denied"), (["SRV-09"], "disk full"), (["SRV-01"], "access denied")):
        tickets.later(days=1)
        fails(tickets, job_id, *names, says=says)
        look(tickets)

    first, second = notes(tickets)
    assert first.startswith("What this ticket is about has changed: another error.\n\nNightly (Veeam")
    assert "- SRV-01: failed, access denied" in first
    assert second.startswith("What this ticket is about has changed: other objects.")


def test_a_warning_that_becomes_a_failure_is_news(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    tickets.made(fails(tickets, job_id, status=Status.WARNING).id)
    tickets.later(days=1)
    fails(tickets, job_id)

    look(tickets)

    assert len(notes(tickets)) == 1


def test_there_is_one_note_a_day_and_what_came_meanwhile_is_in_the_next(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    tickets.made(fails(tickets, job_id).id)
    for kind in "abcd":
        tickets.later(hours=4)  # sooner it would be another attempt of the same night
        fails(tickets, job_id, says=f"error of kind {kind}")
        look(tickets)
    assert len(notes(tickets)) == 1

    tickets.later(days=1)
    look(tickets)

    assert len(notes(tickets)) == 2
    assert "error of kind d" in notes(tickets)[1]


def test_a_month_of_silence_is_at_most_three_notes(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    tickets.run(job_id, Status.SUCCESS)
    tickets.later(days=1)
    tickets.made(misses(tickets, job_id))
    for _ in range(30):
        tickets.later(days=1)
        misses(tickets, job_id)
        look(tickets)

    assert [note.splitlines()[0] for note in notes(tickets)] == [
        f"What this ticket is about has changed: no report for {days} days." for days in (7, 14, 28)
    ]


def test_what_was_linked_while_the_ticket_was_made_is_no_news(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    tickets.ticket(fails(tickets, job_id).id, description="")
    tickets.later(hours=1)
    fails(tickets, job_id, says="access denied")
    tickets.send()

    look(tickets)

    assert notes(tickets) == []


def test_what_came_after_a_ticket_was_put_into_words_is_news_once_it_is_made(tickets: TicketWorld) -> None:
    """The form fills in what the runs say; the ticketing system is away until the next night."""
    job_id = tickets.job()
    tickets.ticket(fails(tickets, job_id).id, description="Nightly: failed, disk full")
    tickets.later(days=1)
    fails(tickets, job_id, "SRV-01", "SRV-02", says="the repository is corrupt")
    tickets.later(hours=8)
    tickets.send()
    look(tickets)
    tickets.later(days=1)
    fails(tickets, job_id, "SRV-01", "SRV-02", says="the repository is corrupt")
    look(tickets)

    [note] = notes(tickets)
    assert "- SRV-01: failed, the repository is corrupt" in note


def test_a_resolved_ticket_hears_nothing_any_more(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    ticket_id = tickets.made(fails(tickets, job_id).id)
    tickets.later(days=1)
    fails(tickets, job_id, says="access denied")
    tickets.resolve(ticket_id)

    look(tickets)

    assert notes(tickets) == []


@pytest.fixture
def after_three(tickets: TicketWorld) -> TicketWorld:
    tickets.set(resolve_after_good=3)
    return tickets


def test_by_itself_no_ticket_is_ever_resolved(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    ticket_id = tickets.made(fails(tickets, job_id).id)
    for _ in range(10):
        tickets.later(days=1)
        tickets.run(job_id, Status.SUCCESS)

    look(tickets)

    assert tickets.stored(ticket_id).resolved_at is None
    assert tickets.db.get_one(TicketingSettings, 1).resolve_after_good is None


def test_where_that_is_wished_good_runs_in_a_row_resolve_it_here_and_there(after_three: TicketWorld) -> None:
    tickets = after_three
    job_id = tickets.job()
    ticket_id = tickets.made(fails(tickets, job_id).id)
    states = []
    for status in (Status.SUCCESS, Status.SUCCESS, Status.WARNING, Status.SUCCESS, Status.SUCCESS, Status.SUCCESS):
        tickets.later(days=1)
        tickets.run(job_id, status)
        look(tickets)
        states.append(tickets.stored(ticket_id).resolved_at is not None)
    look(tickets)

    [row] = tickets.fake.tickets
    assert states == [False] * 5 + [True]
    assert (row["status"], row["resolution"]) == (
        5, "Resolved in Backupchecks: the last 3 runs of its jobs were good",
    )  # fmt: skip
    assert [each.kind for each in tickets.errands(ticket_id)] == [
        ErrandKind.CREATE,
        ErrandKind.NOTE,
        ErrandKind.RESOLVE,
    ]


def test_a_ticket_of_two_jobs_is_resolved_when_both_are_good(after_three: TicketWorld) -> None:
    tickets = after_three
    customer_id = tickets.customer()
    one, other = (tickets.job(name, customer_id) for name in ("One", "Other"))
    ticket_id = tickets.made(fails(tickets, one).id, fails(tickets, other).id)
    for _ in range(3):
        tickets.later(days=1)
        tickets.run(one, Status.SUCCESS)
    look(tickets)
    before = tickets.stored(ticket_id).resolved_at
    with_one = tickets.db.begin_nested()
    resolve_scope(tickets.db, ticket_id, other, actor=SYSTEM, now=tickets.now)
    with_one.commit()
    tickets.db.commit()

    look(tickets)

    assert (before, tickets.stored(ticket_id).resolved_at) == (None, tickets.now)


def test_a_ticket_that_was_typed_by_hand_is_resolved_alike(after_three: TicketWorld) -> None:
    tickets = after_three
    job_id = tickets.job()
    run = fails(tickets, job_id)
    ticket_id = add_manual_ticket(
        tickets.db, code="A-1", description="", run_ids=[run.id], actor=SYSTEM, now=tickets.now
    )  # fmt: skip
    tickets.db.commit()
    for _ in range(3):
        tickets.later(days=1)
        tickets.run(job_id, Status.SUCCESS)

    tickets.look_after_incidents()

    assert (tickets.stored(ticket_id).resolved_at, tickets.errands()) == (tickets.now, [])


def test_who_reopens_a_ticket_is_not_overruled_by_the_good_runs_from_before(after_three: TicketWorld) -> None:
    tickets = after_three
    job_id = tickets.job()
    ticket_id = tickets.made(fails(tickets, job_id).id)
    good_again(tickets, job_id)
    tickets.fake.edit_ticket(tickets.remote(ticket_id), status=8)
    reopened_at = tickets.later(minutes=15)
    tickets.poll()

    for _ in range(3):
        tickets.later(minutes=5)
        look(tickets)
    ticket = tickets.stored(ticket_id)
    assert (ticket.resolved_at, ticket.reopened_at, tickets.fake.tickets[0]["status"]) == (None, reopened_at, 8)
    good_again(tickets, job_id)

    assert tickets.stored(ticket_id).resolved_at == tickets.now


def test_a_ticket_that_was_typed_and_reopened_by_hand_stays_open_alike(after_three: TicketWorld) -> None:
    tickets = after_three
    job_id = tickets.job()
    run = fails(tickets, job_id)
    ticket_id = add_manual_ticket(
        tickets.db, code="A-1", description="", run_ids=[run.id], actor=SYSTEM, now=tickets.now
    )  # fmt: skip
    tickets.db.commit()
    good_again(tickets, job_id)
    tickets.later(minutes=5)
    reopen_ticket(tickets.db, ticket_id, actor=SYSTEM, now=tickets.now)
    tickets.db.commit()

    tickets.look_after_incidents()

    assert (tickets.stored(ticket_id).resolved_at, tickets.stored(ticket_id).reopened_at) == (None, tickets.now)


def good_again(tickets: TicketWorld, job_id: int) -> None:
    """Let three good nights pass, after which the ticket is resolved."""
    for _ in range(3):
        tickets.later(days=1)
        tickets.run(job_id, Status.SUCCESS)
        look(tickets)


def test_a_run_with_another_error_than_its_ticket_says_so(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    first = fails(tickets, job_id, says="disk full: 12 GB")
    ticket_id = tickets.made(first.id)
    tickets.later(days=1)
    same = fails(tickets, job_id, says="disk full: 14 GB")
    tickets.later(days=1)
    other = fails(tickets, job_id, says="access denied")
    tickets.later(days=1)
    missed = misses(tickets, job_id)
    good = tickets.run(job_id, Status.SUCCESS)

    found = other_causes(tickets.db, [first.id, same.id, other.id, missed, good.id])

    assert found == {other.id: (ticket_id,), missed: (ticket_id,)}


def test_a_job_that_fails_on_after_its_ticket_was_resolved_says_so(tickets: TicketWorld) -> None:
    failing, good, ticketed, untouched = (tickets.job() for _ in range(4))
    ids = {job_id: tickets.made(fails(tickets, job_id).id) for job_id in (failing, good, ticketed)}
    tickets.later(hours=1)
    resolved_at = tickets.now
    for ticket_id in ids.values():
        tickets.resolve(ticket_id)
    fails(tickets, untouched)
    tickets.later(hours=1)
    fails(tickets, failing)
    tickets.run(good, Status.SUCCESS)
    tickets.ticket(fails(tickets, ticketed).id)

    found = still_failing(tickets.db, [failing, good, ticketed, untouched])

    assert {job_id: (each.ticket_id, each.resolved_at) for job_id, each in found.items()} == {
        failing: (ids[failing], resolved_at)
    }


def test_a_job_that_succeeded_since_its_ticket_was_resolved_fails_anew(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    ticket_id = tickets.made(fails(tickets, job_id).id)
    tickets.later(hours=1)
    tickets.resolve(ticket_id)
    tickets.later(hours=1)
    tickets.run(job_id, Status.SUCCESS)
    tickets.later(hours=1)
    fails(tickets, job_id)

    assert still_failing(tickets.db, [job_id]) == {}


def test_a_run_from_before_the_end_of_its_ticket_is_no_failure_after_it(tickets: TicketWorld) -> None:
    job_id = tickets.job()
    ticket_id = tickets.made(fails(tickets, job_id).id)
    tickets.later(hours=1)
    tickets.resolve(ticket_id)

    assert still_failing(tickets.db, [job_id]) == {}
