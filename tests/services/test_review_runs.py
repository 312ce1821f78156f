"""Nobody reviews what he has not seen."""

from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.domain.status import NEEDS_REASON, Status
from shared.models.audit import AuditEntry
from shared.models.jobs import JobRun, Review
from shared.models.tickets import RemarkRun, Ticket
from shared.services.audit import SYSTEM, Actor
from shared.services.errors import BadInput, Conflict, NotAllowed, NotFound
from shared.services.remarks import add_remark
from shared.services.review_runs import UNDO_WINDOW, Seen, review_runs, undo_review
from shared.services.tickets import add_manual_ticket
from tests.builders import NOW, count_of, make_job, make_run, make_user, nights, runs_of
from tests.services.linked_world import autotask_of, linked, overdue, with_autotask


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db, "anna")


def seen(*runs: JobRun) -> list[Seen]:
    return [(run.id, run.verdict_version) for run in runs]


def is_open(db: Session, run: JobRun) -> bool:
    return db.get_one(JobRun, run.id, populate_existing=True).reviewed_at is None


def test_a_review_takes_exactly_the_runs_that_were_seen(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    shown, also, arrived_since = (make_run(db, job_id, run_at=at) for at in nights(3))

    result = review_runs(db, seen(shown, also), actor=actor, now=NOW)

    assert result.run_ids == (shown.id, also.id)
    assert (result.changed, result.by_others) == ((), ())
    assert [is_open(db, run) for run in (shown, also, arrived_since)] == [False, False, True]
    assert {run.reviewed_by for run in runs_of(db, job_id)} == {actor.user_id, None}


def test_a_run_whose_verdict_changed_since_stays_open_and_the_answer_says_so(db: Session, actor: Actor) -> None:
    same, changed = make_run(db), make_run(db)
    on_screen = seen(same, changed)
    changed.status, changed.verdict_version = Status.WARNING, 2
    db.flush()

    result = review_runs(db, on_screen, actor=actor, now=NOW)

    assert (result.run_ids, result.changed) == ((same.id,), (changed.id,))
    assert is_open(db, changed)


def test_a_run_that_is_gone_is_reported_as_changed(db: Session, actor: Actor) -> None:
    run = make_run(db)

    result = review_runs(db, [*seen(run), (run.id + 1_000, 1)], actor=actor, now=NOW)

    assert (result.run_ids, result.changed) == ((run.id,), (run.id + 1_000,))


def test_what_somebody_else_reviewed_comes_with_his_name(db: Session, actor: Actor) -> None:
    run, bert = make_run(db), make_user(db, "bert")
    review_runs(db, seen(run), actor=bert, now=NOW)

    result = review_runs(db, seen(run), actor=actor, now=NOW + timedelta(minutes=1))

    assert (result.review_id, result.run_ids, result.by_others) == (None, (), ((run.id, "bert"),))
    assert db.get_one(JobRun, run.id).reviewed_by == bert.user_id


def test_reviewing_twice_changes_nothing_more(db: Session, actor: Actor) -> None:
    run = make_run(db)
    review_runs(db, seen(run, run), actor=actor, now=NOW)

    review_runs(db, seen(run), actor=actor, now=NOW + timedelta(minutes=1))

    assert count_of(db, Review) == 1
    assert db.get_one(JobRun, run.id, populate_existing=True).reviewed_at == NOW


@pytest.mark.parametrize("status", sorted(NEEDS_REASON))
def test_trouble_needs_a_reason_and_without_one_nothing_is_reviewed(db: Session, actor: Actor, status: Status) -> None:
    good, bad = make_run(db), make_run(db, status=status)

    with pytest.raises(BadInput, match="1 of these runs"):
        review_runs(db, seen(good, bad), actor=actor, now=NOW, reason="   ")

    assert is_open(db, good)
    assert is_open(db, bad)


@pytest.mark.parametrize("status", sorted(NEEDS_REASON))
def test_with_a_reason_trouble_is_reviewed_and_the_reason_is_kept(db: Session, actor: Actor, status: Status) -> None:
    run = make_run(db, status=status)

    result = review_runs(db, seen(run), actor=actor, now=NOW, reason=" disk replaced ")

    assert db.get_one(Review, result.review_id).reason == "disk replaced"
    assert not is_open(db, run)


@pytest.mark.parametrize("status", [Status.SUCCESS, Status.WARNING, Status.INFORMATIONAL])
def test_the_rest_needs_none(db: Session, actor: Actor, status: Status) -> None:
    assert review_runs(db, seen(make_run(db, status=status)), actor=actor, now=NOW).review_id is not None


@pytest.mark.parametrize("status", sorted(NEEDS_REASON))
def test_trouble_with_a_ticket_or_a_remark_needs_no_further_reason(db: Session, actor: Actor, status: Status) -> None:
    ticketed, remarked = make_run(db, status=status), make_run(db, status=status)
    add_manual_ticket(db, code="INC-1", description="", run_ids=[ticketed.id], actor=actor, now=NOW)
    add_remark(db, body="disks are ordered", run_ids=[remarked.id], actor=actor, now=NOW)

    assert len(review_runs(db, seen(ticketed, remarked), actor=actor, now=NOW).run_ids) == 2


def test_one_run_without_asks_for_a_reason_for_all(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    ticketed, other = (make_run(db, job_id, status=Status.FAILED, run_at=at) for at in nights(2))
    add_manual_ticket(db, code="INC-1", description="", run_ids=[ticketed.id], actor=actor, now=NOW)

    with pytest.raises(BadInput, match="1 of these runs"):
        review_runs(db, seen(ticketed, other), actor=actor, now=NOW)


def test_a_ticket_that_is_proven_deleted_is_no_reason(db: Session, actor: Actor) -> None:
    run = make_run(db, status=Status.FAILED)
    ticket_id = add_manual_ticket(db, code="INC-1", description="", run_ids=[run.id], actor=actor, now=NOW)
    db.execute(update(Ticket).where(Ticket.id == ticket_id).values(deleted_at=NOW))

    with pytest.raises(BadInput, match="say why"):
        review_runs(db, seen(run), actor=actor, now=NOW)


def test_a_failure_that_was_reviewed_before_asks_for_no_reason_again(db: Session, actor: Actor) -> None:
    failed, good = make_run(db, status=Status.FAILED), make_run(db)
    review_runs(db, seen(failed), actor=actor, now=NOW, reason="known")

    assert review_runs(db, seen(failed, good), actor=actor, now=NOW).run_ids == (good.id,)


def test_a_review_of_nothing_and_by_nobody_is_refused(db: Session, actor: Actor) -> None:
    run = make_run(db)

    with pytest.raises(BadInput):
        review_runs(db, [], actor=actor, now=NOW)
    with pytest.raises(NotAllowed):
        review_runs(db, seen(run), actor=SYSTEM, now=NOW)


def test_a_review_is_audited(db: Session, actor: Actor) -> None:
    run = make_run(db, status=Status.FAILED)

    result = review_runs(db, seen(run), actor=actor, now=NOW, reason="known")

    entry = db.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.subject_id, entry.user_id) == ("runs.reviewed", result.review_id, actor.user_id)
    assert entry.after == {"runs": [run.id], "reason": "known"}


def reviewed(db: Session, actor: Actor, *runs: JobRun) -> int:
    review_id = review_runs(db, seen(*runs), actor=actor, now=NOW).review_id
    assert review_id is not None
    return review_id


def test_an_operator_undoes_his_own_review_for_ten_minutes(db: Session, actor: Actor) -> None:
    first, second = make_run(db), make_run(db)
    review_id = reviewed(db, actor, first, second)

    assert undo_review(db, review_id, actor=actor, may_undo_any=False, now=NOW + UNDO_WINDOW) == 2

    assert is_open(db, first)
    assert is_open(db, second)
    assert db.get_one(Review, review_id).undone_by == actor.user_id


def test_after_ten_minutes_only_an_administrator_does(db: Session, actor: Actor) -> None:
    run = make_run(db)
    review_id = reviewed(db, actor, run)
    later = NOW + UNDO_WINDOW + timedelta(seconds=1)

    with pytest.raises(NotAllowed, match="ten minutes"):
        undo_review(db, review_id, actor=actor, may_undo_any=False, now=later)

    assert undo_review(db, review_id, actor=make_user(db), may_undo_any=True, now=later + timedelta(days=90)) == 1


def test_nobody_undoes_a_colleagues_review(db: Session, actor: Actor) -> None:
    review_id = reviewed(db, actor, make_run(db))

    with pytest.raises(NotAllowed, match="somebody else"):
        undo_review(db, review_id, actor=make_user(db), may_undo_any=False, now=NOW)


def test_a_review_is_undone_once_and_only_if_it_exists(db: Session, actor: Actor) -> None:
    review_id = reviewed(db, actor, make_run(db))
    undo_review(db, review_id, actor=actor, may_undo_any=False, now=NOW)

    with pytest.raises(Conflict):
        undo_review(db, review_id, actor=actor, may_undo_any=False, now=NOW)
    with pytest.raises(NotFound):
        undo_review(db, review_id + 1_000, actor=actor, may_undo_any=True, now=NOW)


def test_an_overdue_run_that_comes_back_takes_over_what_the_newer_one_was_linked_to(db: Session, actor: Actor) -> None:
    """While a device that sleeps was reviewed, it came up again, and somebody made a ticket."""
    job_id = make_job(db)
    first = db.get_one(JobRun, overdue(db, job_id, NOW - timedelta(days=3)))
    review_id = review_runs(db, seen(first), actor=actor, now=NOW, reason="on leave").review_id
    second = db.get_one(JobRun, overdue(db, job_id, NOW))
    ticket_id = add_manual_ticket(db, code="INC-1", description="", run_ids=[second.id], actor=actor, now=NOW)
    with_autotask(db, second, ticket_id)
    add_remark(db, body="on leave until Monday", run_ids=[second.id], actor=actor, now=NOW)
    assert review_id is not None

    undo_review(db, review_id, actor=actor, may_undo_any=False, now=NOW)

    assert [run.id for run in runs_of(db, job_id)] == [first.id]
    assert linked(db, ticket_id) == {first.id}
    assert db.scalars(select(RemarkRun.job_run_id)).all() == [first.id]
    assert autotask_of(db, first.id) == ("77", "T20260601.0001")


def test_undoing_leaves_what_was_reviewed_again_since(db: Session, actor: Actor) -> None:
    run = make_run(db)
    first = reviewed(db, actor, run)
    undo_review(db, first, actor=actor, may_undo_any=False, now=NOW)
    second = reviewed(db, actor, run)

    with pytest.raises(Conflict):
        undo_review(db, first, actor=actor, may_undo_any=True, now=NOW)

    assert db.get_one(JobRun, run.id, populate_existing=True).review_id == second
