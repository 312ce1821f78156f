"""Tickets are made once, for one customer, and ended for all or for one of their jobs."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shared.db.session import transaction
from shared.domain.ticket import ErrandKind
from shared.models.audit import AuditEntry
from shared.models.ticketing import Errand
from shared.models.tickets import Remark, RemarkRun, Ticket, TicketScope
from shared.queries.history import history_of
from shared.services.audit import Actor
from shared.services.edit_job import move_job
from shared.services.errors import BadInput, Conflict
from shared.services.remarks import add_remark, edit_remark, reopen_remark, resolve_remark
from shared.services.review_runs import review_runs
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
from tests.builders import NIGHT, count_of, make_customer, make_job, make_run, make_user
from tests.services.linked_world import NOON, autotask_of, by_mail, failed, linked, ticket_on, with_autotask


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


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


def test_a_remark_that_is_reopened_stays_off_jobs_that_went_to_another_customer(db: Session, actor: Actor) -> None:
    customer_id = make_customer(db)
    stayed, went = (make_job(db, name, customer_id=customer_id) for name in ("Stayed", "Went"))
    runs = [failed(db, stayed).id, failed(db, went).id]
    remark_id = add_remark(db, body="disks are on their way", run_ids=runs, actor=actor, now=NOON)
    move_job(db, went, make_customer(db), actor=actor, now=NOON)

    resolve_remark(db, remark_id, actor=actor, now=NOON)
    reopen_remark(db, remark_id, actor=actor, now=NOON)
    theirs, another = by_mail(db, stayed, NOON), failed(db, went, NOON)

    assert set(db.scalars(select(RemarkRun.job_run_id))) == {*runs, theirs}
    with pytest.raises(BadInput, match="say why"):
        review_runs(db, [(another.id, another.verdict_version)], actor=actor, now=NOON)


def test_a_remark_that_has_no_job_of_its_customer_any_more_is_not_reopened(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    remark_id = add_remark(db, body="disks are on their way", run_ids=[failed(db, job_id).id], actor=actor, now=NOON)
    resolve_remark(db, remark_id, actor=actor, now=NOON)
    move_job(db, job_id, make_customer(db), actor=actor, now=NOON)

    with pytest.raises(Conflict, match="no job"):
        reopen_remark(db, remark_id, actor=actor, now=NOON)


def test_a_ticket_that_has_no_job_of_its_customer_any_more_is_not_reopened(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    ticket_id = ticket_on(db, [failed(db, job_id)], actor)
    resolve_ticket(db, ticket_id, actor=actor, now=NOON)
    move_job(db, job_id, make_customer(db), actor=actor, now=NOON)

    with pytest.raises(Conflict, match="no job"):
        reopen_ticket(db, ticket_id, actor=actor, now=NOON)


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


@pytest.mark.parametrize("is_remote", [False, True])
def test_resolving_its_last_job_resolves_the_ticket(db: Session, actor: Actor, *, is_remote: bool) -> None:
    customer_id = make_customer(db)
    jobs = [make_job(db, name, customer_id=customer_id) for name in ("One", "Other")]
    runs = [failed(db, job_id) for job_id in jobs]
    ticket_id = ticket_on(db, runs, actor)
    if is_remote:
        with_autotask(db, runs[0], ticket_id)

    is_over = [resolve_scope(db, ticket_id, job_id, actor=actor, now=NOON) for job_id in jobs]

    ticket = db.get_one(Ticket, ticket_id, populate_existing=True)
    assert is_over == [False, True]
    assert (ticket.resolved_at, ticket.resolved_by) == (NOON, actor.user_id)
    assert db.scalars(select(Errand.kind)).all() == [ErrandKind.RESOLVE] * is_remote
    assert [act.action for act in history_of(db, "ticket", ticket_id)][:2] == [
        "ticket.resolved",
        "ticket.scope_resolved",
    ]


def test_a_ticket_that_ended_job_by_job_is_reopened_for_all(db: Session, actor: Actor) -> None:
    customer_id = make_customer(db)
    jobs = [make_job(db, name, customer_id=customer_id) for name in ("One", "Other")]
    runs = [failed(db, job_id) for job_id in jobs]
    ticket_id = ticket_on(db, runs, actor)
    for job_id in jobs:
        resolve_scope(db, ticket_id, job_id, actor=actor, now=NOON)

    reopen_ticket(db, ticket_id, actor=actor, now=NOON)
    new = [by_mail(db, job_id, NOON) for job_id in jobs]

    assert linked(db, ticket_id) == {*(run.id for run in runs), *new}


def test_a_job_of_a_ticket_that_is_over_is_over(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    ticket_id = ticket_on(db, [failed(db, job_id)], actor)
    resolve_ticket(db, ticket_id, actor=actor, now=NOON)

    with pytest.raises(Conflict, match="for this job"):
        resolve_scope(db, ticket_id, job_id, actor=actor, now=NOON)


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


def test_what_is_typed_is_kept_tidy_and_saving_it_again_changes_nothing(db: Session, actor: Actor) -> None:
    """Browsers send the end of a line as two characters; no column takes a zero byte."""
    run = failed(db, make_job(db))
    typed, kept = " one\r\ntwo\0 \r\n", "one\ntwo"
    with_text = {"description": typed, "run_ids": [run.id], "actor": actor, "now": NOON, "anyway": True}
    tickets = [
        add_manual_ticket(db, code="A\0-1", **with_text),
        add_remote_ticket(db, title="Disk\0 full", **with_text),
    ]
    remark_id = add_remark(db, body=typed, run_ids=[run.id], actor=actor, now=NOON)
    made = count_of(db, AuditEntry)

    for ticket_id in tickets:
        edit_ticket(db, ticket_id, description=typed, code="A-1\0", actor=actor, now=NOON)
    edit_remark(db, remark_id, body=typed, actor=actor, now=NOON)

    words = db.execute(select(Ticket.ticket_code, Ticket.title, Ticket.description).order_by(Ticket.id)).all()
    assert words == [("A-1", "", kept), (None, "Disk full", kept)]
    assert db.get_one(Remark, remark_id).body == kept
    assert count_of(db, AuditEntry) == made
