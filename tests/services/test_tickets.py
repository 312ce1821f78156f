"""Tickets and remarks reach every new run of their jobs until they are resolved, whatever made the run."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shared.db.session import transaction
from shared.domain.status import Status
from shared.domain.ticket import ErrandKind, TicketSource
from shared.models.jobs import JobRun
from shared.models.ticketing import Errand
from shared.models.tickets import Remark, RemarkRun, Ticket, TicketRun, TicketScope
from shared.services.audit import Actor
from shared.services.edit_job import move_job
from shared.services.errors import BadInput, Conflict
from shared.services.record_run import record_missed_run, record_overdue_run
from shared.services.remarks import add_remark, reopen_remark, resolve_remark
from shared.services.ticketed_runs import WholeJobs
from shared.services.tickets import (
    add_manual_ticket,
    add_remote_ticket,
    edit_ticket,
    link_ticket,
    reopen_ticket,
    resolve_scope,
    resolve_ticket,
)
from tests.builders import NIGHT, make_customer, make_job, make_run, make_user, runs_of

NOON = NIGHT + timedelta(hours=9)


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


def failed(db: Session, job_id: int, at: datetime = NIGHT) -> JobRun:
    return make_run(db, job_id, status=Status.FAILED, run_at=at)


def ticket_on(db: Session, runs: Sequence[JobRun], actor: Actor, code: str = "T20260601.0001", **rest: bool) -> int:
    ids = [run.id for run in runs]
    return add_manual_ticket(db, code=code, description="disk full", run_ids=ids, actor=actor, now=NOON, **rest)


def linked(db: Session, ticket_id: int) -> set[int]:
    return set(db.scalars(select(TicketRun.job_run_id).where(TicketRun.ticket_id == ticket_id)))


def by_mail(db: Session, job_id: int, at: datetime) -> int:
    return make_run(db, job_id, run_at=at).id


def missed(db: Session, job_id: int, at: datetime) -> int:
    run_id = record_missed_run(db, job_id, slot_at=at, message="no report came")
    assert run_id is not None
    return run_id


def overdue(db: Session, job_id: int, at: datetime) -> int:
    run_id = record_overdue_run(db, job_id, passed_at=at, days=4, message="no good backup for 4 days")
    assert run_id is not None
    return run_id


WAYS = [by_mail, missed, overdue]
Way = Callable[[Session, int, datetime], int]


@pytest.mark.parametrize("way", WAYS)
def test_an_open_ticket_is_linked_to_every_new_run_whatever_makes_it(db: Session, actor: Actor, way: Way) -> None:
    job_id = make_job(db)
    run = failed(db, job_id)
    ticket_id = ticket_on(db, [run], actor)

    new = way(db, job_id, NOON + timedelta(days=1))

    assert linked(db, ticket_id) == {run.id, new}


@pytest.mark.parametrize("way", WAYS)
def test_a_resolved_ticket_stays_on_its_runs_and_reaches_no_new_one(db: Session, actor: Actor, way: Way) -> None:
    """Resolved at noon: the run of eleven keeps it, the run of one doesn't get it. No date has a say."""
    job_id = make_job(db)
    eleven = failed(db, job_id, NOON - timedelta(hours=1))
    ticket_id = ticket_on(db, [eleven], actor)
    resolve_ticket(db, ticket_id, actor=actor, now=NOON)

    way(db, job_id, NOON + timedelta(hours=1))
    by_mail(db, job_id, NOON - timedelta(hours=3))  # a late mail of the morning

    assert linked(db, ticket_id) == {eleven.id}


def test_a_ticket_of_two_jobs_resolved_for_one_goes_on_for_the_other(db: Session, actor: Actor) -> None:
    customer_id = make_customer(db)
    one, other = make_job(db, "One", customer_id=customer_id), make_job(db, "Other", customer_id=customer_id)
    runs = [failed(db, one), failed(db, other)]
    ticket_id = ticket_on(db, runs, actor)

    resolve_scope(db, ticket_id, one, actor=actor, now=NOON)
    by_mail(db, one, NOON)
    new = by_mail(db, other, NOON)

    assert linked(db, ticket_id) == {runs[0].id, runs[1].id, new}


def test_a_reopened_ticket_reaches_only_runs_made_from_then_on(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    run = failed(db, job_id)
    ticket_id = ticket_on(db, [run], actor)
    resolve_scope(db, ticket_id, job_id, actor=actor, now=NOON)
    resolve_ticket(db, ticket_id, actor=actor, now=NOON)
    by_mail(db, job_id, NOON)

    reopen_ticket(db, ticket_id, actor=actor, now=NOON)
    new = by_mail(db, job_id, NOON + timedelta(days=1))

    assert linked(db, ticket_id) == {run.id, new}


def with_autotask(db: Session, run: JobRun, ticket_id: int, number: str = "T20260601.0001", remote: str = "77") -> None:
    """Let Autotask have made the ticket."""
    values = {"source": TicketSource.AUTOTASK, "remote_id": remote, "ticket_code": number}
    db.execute(update(Ticket).where(Ticket.id == ticket_id).values(values))
    run.autotask_ticket_id, run.autotask_ticket_number, run.autotask_ticket_created_at = remote, number, NOON
    db.flush()


def autotask_of(db: Session, run_id: int) -> tuple[str | None, str]:
    copied = select(JobRun.autotask_ticket_id, JobRun.autotask_ticket_number).where(JobRun.id == run_id)
    remote_id, number = db.execute(copied).one()
    return remote_id, number


@pytest.mark.parametrize("way", WAYS)
def test_the_autotask_ticket_is_copied_to_every_new_run(db: Session, actor: Actor, way: Way) -> None:
    job_id = make_job(db)
    run = failed(db, job_id)
    with_autotask(db, run, ticket_on(db, [run], actor))

    new = way(db, job_id, NOON)

    assert autotask_of(db, new) == ("77", "T20260601.0001")


def test_it_is_copied_from_the_run_of_another_job_of_the_ticket(db: Session, actor: Actor) -> None:
    customer_id = make_customer(db)
    one, other = make_job(db, "One", customer_id=customer_id), make_job(db, "Other", customer_id=customer_id)
    run, without = failed(db, one), failed(db, other)
    ticket_id = ticket_on(db, [run, without], actor)
    with_autotask(db, run, ticket_id)

    assert autotask_of(db, by_mail(db, other, NOON)) == ("77", "T20260601.0001")


def test_without_an_open_ticket_here_the_jobs_newest_autotask_ticket_is_copied(db: Session) -> None:
    job_id = make_job(db)
    for number, remote in enumerate(("1", "2")):
        run = failed(db, job_id, NIGHT + timedelta(days=number))
        run.autotask_ticket_id, run.autotask_ticket_number = remote, f"T20260601.000{remote}"
        run.autotask_ticket_created_at = NIGHT + timedelta(days=number)
    db.flush()

    assert autotask_of(db, by_mail(db, job_id, NOON + timedelta(days=3))) == ("2", "T20260601.0002")


def test_neither_a_resolved_nor_a_deleted_autotask_ticket_is_copied(db: Session, actor: Actor) -> None:
    resolved, deleted = make_job(db, "Resolved"), make_job(db, "Deleted")
    for job_id, number in ((resolved, "1"), (deleted, "2")):
        run = failed(db, job_id)
        ticket_id = ticket_on(db, [run], actor, code=number)
        with_autotask(db, run, ticket_id, number, number)
        if job_id == resolved:
            resolve_ticket(db, ticket_id, actor=actor, now=NOON)
        else:
            db.execute(update(Ticket).where(Ticket.id == ticket_id).values(deleted_at=NOON))
            run.autotask_ticket_deleted_at = NOON
    db.flush()

    new = [by_mail(db, job_id, NOON) for job_id in (resolved, deleted)]

    assert [autotask_of(db, run_id) for run_id in new] == [(None, "")] * 2
    assert db.scalars(select(TicketRun.ticket_id).where(TicketRun.job_run_id.in_(new))).all() == []


def test_a_ticket_is_linked_to_what_is_not_good_and_dated_by_its_oldest_run(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    good = make_run(db, job_id, run_at=NIGHT - timedelta(days=2))
    late_evening = NIGHT.replace(hour=23, minute=30) - timedelta(days=1)  # after midnight in Amsterdam
    bad = [failed(db, job_id, late_evening), failed(db, job_id, NIGHT)]

    ticket_id = ticket_on(db, [good, *bad], actor)

    assert linked(db, ticket_id) == {run.id for run in bad}
    assert db.get_one(Ticket, ticket_id).active_from_date == date(NIGHT.year, NIGHT.month, NIGHT.day)


def test_a_ticket_never_covers_jobs_of_two_customers(db: Session, actor: Actor) -> None:
    runs = [failed(db, make_job(db, name, customer_id=make_customer(db))) for name in ("One", "Other")]

    with pytest.raises(BadInput, match="one customer only"):
        ticket_on(db, runs, actor)


def test_the_schema_refuses_a_scope_of_another_customers_job(db: Session, actor: Actor) -> None:
    ticket_id = ticket_on(db, [failed(db, make_job(db, "One"))], actor)
    stranger = make_job(db, "Other", customer_id=(other := make_customer(db)))

    for customer_id in (other, db.get_one(Ticket, ticket_id).customer_id, None):
        scope = insert(TicketScope).values(ticket_id=ticket_id, job_id=stranger, customer_id=customer_id)
        with pytest.raises(IntegrityError), db.begin_nested():
            db.execute(scope)


def test_moving_a_job_ends_its_tickets_and_remarks_for_good(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    run = failed(db, job_id)
    ticket_id = ticket_on(db, [run], actor)
    with_autotask(db, run, ticket_id)
    add_remark(db, body="disks are on their way", run_ids=[run.id], actor=actor, now=NOON)

    move_job(db, job_id, make_customer(db), actor=actor, now=NOON)
    new = by_mail(db, job_id, NOON)

    assert (linked(db, ticket_id), autotask_of(db, new)) == ({run.id}, (None, ""))
    assert db.scalars(select(RemarkRun.job_run_id)).all() == [run.id]


def test_one_incident_is_one_ticket_unless_somebody_insists(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    ticket_on(db, [failed(db, job_id)], actor, code="A-1")
    again = failed(db, job_id, NIGHT + timedelta(days=1))

    with pytest.raises(Conflict, match="A-1"):
        ticket_on(db, [again], actor, code="A-2")
    second = ticket_on(db, [again], actor, code="A-2", anyway=True)

    assert linked(db, second) == {again.id}


def test_two_people_who_make_a_ticket_at_the_same_moment_make_one(committed_db: Session) -> None:
    actor = make_user(committed_db)
    run_id = failed(committed_db, make_job(committed_db)).id
    committed_db.commit()

    def make(number: int) -> str:
        try:
            with transaction() as db:
                add_remote_ticket(db, title=f"Ticket {number}", description="", run_ids=[run_id], actor=actor, now=NOON)
        except Conflict as refused:
            return str(refused)
        return "made"

    with ThreadPoolExecutor(4) as people:
        said = list(people.map(make, range(4)))

    assert said.count("made") == 1
    assert all("which is just being made" in words for words in said if words != "made")
    assert committed_db.scalars(select(Errand.kind)).all() == [ErrandKind.CREATE]


def test_a_code_is_taken_once_whatever_its_case(db: Session, actor: Actor) -> None:
    ticket_on(db, [failed(db, make_job(db, "One"))], actor, code="Case-1")

    with pytest.raises(Conflict, match="link that one"):
        ticket_on(db, [failed(db, make_job(db, "Other"))], actor, code="case-1 ")


@pytest.mark.parametrize("code", ["", "   ", "x" * 65])
def test_a_code_that_cannot_be_used_is_refused(db: Session, actor: Actor, code: str) -> None:
    with pytest.raises(BadInput, match="code"):
        ticket_on(db, [failed(db, make_job(db))], actor, code=code)


def test_linking_a_ticket_widens_it_to_the_job_of_the_runs(db: Session, actor: Actor) -> None:
    customer_id = make_customer(db)
    one, other = make_job(db, "One", customer_id=customer_id), make_job(db, "Other", customer_id=customer_id)
    ticket_id = ticket_on(db, [failed(db, one)], actor)
    run = failed(db, other)

    link_ticket(db, ticket_id, [run.id], actor=actor, now=NOON)
    new = by_mail(db, other, NOON)

    assert {run.id, new} <= linked(db, ticket_id)


def test_nothing_is_linked_to_a_ticket_that_is_over(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    ticket_id = ticket_on(db, [failed(db, job_id)], actor)
    resolve_ticket(db, ticket_id, actor=actor, now=NOON)

    with pytest.raises(Conflict, match="over"):
        link_ticket(db, ticket_id, [failed(db, job_id, NOON).id], actor=actor, now=NOON)


def test_resolving_a_ticket_of_autotask_sends_word_there(db: Session, actor: Actor) -> None:
    run = failed(db, make_job(db))
    ticket_id = add_remote_ticket(db, title="Failed", description="", run_ids=[run.id], actor=actor, now=NOON)

    resolve_ticket(db, ticket_id, actor=actor, now=NOON, note="new disks")

    assert [(each.kind, each.content) for each in db.scalars(select(Errand).order_by(Errand.id))] == [
        (ErrandKind.CREATE, {}),
        (ErrandKind.RESOLVE, {"text": "new disks"}),
    ]


def test_a_missed_run_that_its_mail_takes_over_keeps_its_ticket(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    run_id = missed(db, job_id, NIGHT)
    ticket_id = ticket_on(db, runs_of(db, job_id), actor)

    assert linked(db, ticket_id) == {run_id}


def test_a_remark_reaches_new_runs_until_it_is_resolved(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    run = failed(db, job_id)
    remark_id = add_remark(db, body=" disks are on their way ", run_ids=[run.id], actor=actor, now=NOON)
    second = by_mail(db, job_id, NOON)
    resolve_remark(db, remark_id, actor=actor, now=NOON)
    by_mail(db, job_id, NOON + timedelta(days=1))
    reopen_remark(db, remark_id, actor=actor, now=NOON)
    fourth = missed(db, job_id, NOON + timedelta(days=2))

    assert db.get_one(Remark, remark_id).body == "disks are on their way"
    assert set(db.scalars(select(RemarkRun.job_run_id))) == {run.id, second, fourth}


def test_a_ticket_made_for_jobs_links_what_of_them_waits_and_is_bad(db: Session, actor: Actor) -> None:
    customer_id = make_customer(db)
    bad, fine = make_job(db, "Bad", customer_id=customer_id), make_job(db, "Fine", customer_id=customer_id)
    run = failed(db, bad)
    make_run(db, fine, run_at=NIGHT)
    both = WholeJobs(job_ids=(bad, fine), at=NOON)

    ticket_id = add_manual_ticket(db, code="A-1", description="", run_ids=both, actor=actor, now=NOON)
    new = by_mail(db, fine, NOON)

    assert linked(db, ticket_id) == {run.id, new}


def test_a_ticket_for_a_job_of_which_nothing_is_wrong_counts_from_today(db: Session, actor: Actor) -> None:
    job = WholeJobs(job_ids=(make_job(db),), at=NOON)

    ticket_id = add_manual_ticket(db, code="A-1", description="", run_ids=job, actor=actor, now=NOON)
    remark_id = add_remark(db, body="new disks", run_ids=job, actor=actor, now=NOON)

    assert db.get_one(Ticket, ticket_id).active_from_date == NOON.date()
    assert (linked(db, ticket_id), db.get_one(Remark, remark_id).body) == (set(), "new disks")


def test_jobs_of_two_customers_make_no_ticket(db: Session, actor: Actor) -> None:
    two = WholeJobs(job_ids=tuple(make_job(db, name, customer_id=make_customer(db)) for name in "AB"), at=NOON)

    with pytest.raises(BadInput, match="one customer only"):
        add_manual_ticket(db, code="A-1", description="", run_ids=two, actor=actor, now=NOON)


def test_a_code_that_was_mistyped_can_be_put_right_but_not_into_another_tickets(db: Session, actor: Actor) -> None:
    customer_id = make_customer(db)
    runs = [failed(db, make_job(db, name, customer_id=customer_id)) for name in ("One", "Other")]
    ticket_id = ticket_on(db, runs[:1], actor, code="A-1")
    ticket_on(db, runs[1:], actor, code="A-2")

    edit_ticket(db, ticket_id, description="disk full", code="A-3", actor=actor, now=NOON)
    with pytest.raises(Conflict, match="already"):
        edit_ticket(db, ticket_id, description="", code="a-2", actor=actor, now=NOON)

    assert db.get_one(Ticket, ticket_id).ticket_code == "A-3"


def test_the_number_of_autotask_is_not_ours_to_change(db: Session, actor: Actor) -> None:
    run = failed(db, make_job(db))
    ticket_id = ticket_on(db, [run], actor)
    with_autotask(db, run, ticket_id, "T20260601.0001")

    edit_ticket(db, ticket_id, description="told here", code="X-1", actor=actor, now=NOON)

    ticket = db.get_one(Ticket, ticket_id, populate_existing=True)
    assert (ticket.ticket_code, ticket.description) == ("T20260601.0001", "told here")


def test_a_ticket_goes_along_when_two_runs_turn_out_to_be_one_night(db: Session, actor: Actor) -> None:
    """The attempt between them comes last: without it they were too far apart."""
    job_id = make_job(db)
    first, second = (
        make_run(db, job_id, status=Status.FAILED, run_at=NIGHT + timedelta(minutes=minutes), objects=("SQL01",))
        for minutes in (0, 70)
    )
    ticket_id = ticket_on(db, [second], actor)
    with_autotask(db, second, ticket_id)

    make_run(db, job_id, status=Status.FAILED, run_at=NIGHT + timedelta(minutes=40), objects=("SQL01",))

    (night,) = [run.id for run in runs_of(db, job_id) if run.attempt_of_id is None]
    assert night == first.id
    assert linked(db, ticket_id) == {first.id}
    assert autotask_of(db, first.id) == ("77", "T20260601.0001")


def test_a_further_mail_of_a_night_brings_the_night_what_is_open_by_now(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    night = make_run(db, job_id, run_at=NIGHT, session_id="s-1")
    earlier = failed(db, job_id, NIGHT - timedelta(days=1))
    ticket_id = ticket_on(db, [earlier], actor)

    make_run(db, job_id, status=Status.FAILED, run_at=NIGHT + timedelta(minutes=5), session_id="s-1")

    assert linked(db, ticket_id) == {earlier.id, night.id}
