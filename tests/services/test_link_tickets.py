"""What is open on a job reaches every new run, whatever made the run, until it is resolved."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.tickets import Remark, RemarkRun, Ticket, TicketRun
from shared.services.audit import Actor
from shared.services.remarks import add_remark, reopen_remark, resolve_remark
from shared.services.tickets import (
    reopen_ticket,
    resolve_scope,
    resolve_ticket,
)
from tests.builders import NIGHT, make_customer, make_job, make_run, make_user, runs_of
from tests.services.linked_world import (
    NOON,
    WAYS,
    Way,
    autotask_of,
    by_mail,
    failed,
    linked,
    missed,
    ticket_on,
    with_autotask,
)


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


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
    resolve_scope(db, ticket_id, job_id, actor=actor, now=NOON)  # and with its last job the ticket
    by_mail(db, job_id, NOON)

    reopen_ticket(db, ticket_id, actor=actor, now=NOON)
    new = by_mail(db, job_id, NOON + timedelta(days=1))

    assert linked(db, ticket_id) == {run.id, new}


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


@pytest.mark.parametrize("session_id", ["s-1", None])
def test_history_gets_nothing_that_is_open_however_many_mails_it_is(
    db: Session, actor: Actor, session_id: str | None
) -> None:
    job_id = make_job(db)
    db.execute(update(Customer).values(go_live_on=NIGHT.date()))
    run = failed(db, job_id, NOON)
    ticket_id = ticket_on(db, [run], actor)
    add_remark(db, body="disks are on their way", run_ids=[run.id], actor=actor, now=NOON)

    for minutes in (0, 5):
        at = NIGHT - timedelta(days=3) + timedelta(minutes=minutes)
        make_run(db, job_id, run_at=at, session_id=session_id)

    assert linked(db, ticket_id) == {run.id}
    assert db.scalars(select(RemarkRun.job_run_id)).all() == [run.id]


def test_a_night_that_lasts_into_the_first_day_is_not_history_and_gets_it(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    midnight = NIGHT.replace(hour=0, minute=0, second=0) - timedelta(hours=1)  # in Amsterdam
    db.execute(update(Customer).values(go_live_on=NIGHT.date()))
    run = failed(db, job_id, NOON)
    ticket_id = ticket_on(db, [run], actor)

    after, _ = (
        make_run(db, job_id, run_at=midnight + timedelta(minutes=minutes), session_id="s-1").id for minutes in (5, -5)
    )

    assert linked(db, ticket_id) == {run.id, after}


def test_a_further_mail_of_a_night_brings_the_night_what_is_open_by_now(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    night = make_run(db, job_id, run_at=NIGHT, session_id="s-1")
    earlier = failed(db, job_id, NIGHT - timedelta(days=1))
    ticket_id = ticket_on(db, [earlier], actor)

    make_run(db, job_id, status=Status.FAILED, run_at=NIGHT + timedelta(minutes=5), session_id="s-1")

    assert linked(db, ticket_id) == {earlier.id, night.id}
