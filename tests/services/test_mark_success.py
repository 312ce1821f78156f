"""What a person marks as success counts as that for as long as his review holds."""

from datetime import timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.override_words import OverrideLevel
from shared.domain.status import Status
from shared.models.audit import AuditEntry
from shared.models.jobs import JobRun
from shared.models.overrides import Override
from shared.services.audit import Actor
from shared.services.errors import BadInput
from shared.services.mark_success import mark_success
from shared.services.overrides import delete_override
from shared.services.review_runs import Reviewed, undo_review
from tests.builders import NIGHT, count_of, make_job, make_run, make_user, nights
from tests.override_builders import DISK, make_override, make_told_run

FAILED, WARNING, SUCCESS = Status.FAILED, Status.WARNING, Status.SUCCESS
MORNING = NIGHT + timedelta(hours=9)


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


def stored(db: Session, run: JobRun) -> JobRun:
    return db.get_one(JobRun, run.id, populate_existing=True)


def mark(db: Session, actor: Actor, *runs: JobRun, reason: str = "it was a test") -> Reviewed:
    seen = [(run.id, stored(db, run).verdict_version) for run in runs]
    return mark_success(db, seen, reason=reason, actor=actor, now=MORNING)


def test_a_marked_run_counts_as_success_is_reviewed_and_keeps_its_verdict(db: Session, actor: Actor) -> None:
    run = make_run(db, status=FAILED)

    done = mark(db, actor, run)

    now = stored(db, run)
    override = db.get_one(Override, now.override_id)
    assert (now.raw_status, now.status, now.review_id) == (FAILED, FAILED, done.review_id)
    assert (override.level, override.reason, override.ends_at) == (OverrideLevel.RUN, "it was a test", None)
    assert (override.hits, override.last_hit_at, override.covers_failed) == (1, NIGHT, True)


def test_it_is_about_no_run_that_comes_later(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    mark(db, actor, make_told_run(db, job_id))

    assert make_told_run(db, job_id, run_at=NIGHT + timedelta(days=1)).override_id is None


def test_runs_of_several_jobs_get_an_override_a_job_and_good_ones_are_only_reviewed(db: Session, actor: Actor) -> None:
    one, other = make_job(db, "One"), make_job(db, "Other")
    bad = [make_run(db, one, status=FAILED, run_at=at) for at in nights(2)] + [make_run(db, other, status=WARNING)]
    good = make_run(db, other, run_at=NIGHT + timedelta(days=1))

    done = mark(db, actor, *bad, good)

    assert set(done.run_ids) == {run.id for run in (*bad, good)}
    assert len({stored(db, run).override_id for run in bad}) == count_of(db, Override) == 2
    assert stored(db, good).override_id is None


def test_without_a_reason_nothing_happens(db: Session, actor: Actor) -> None:
    run = make_run(db, status=WARNING)

    with pytest.raises(BadInput):
        mark(db, actor, run, reason="  ")

    assert (stored(db, run).reviewed_at, count_of(db, Override)) == (None, 0)


def test_a_run_that_changed_since_is_neither_reviewed_nor_marked(db: Session, actor: Actor) -> None:
    run = make_run(db, status=WARNING)

    done = mark_success(db, [(run.id, run.verdict_version + 1)], reason="a test", actor=actor, now=MORNING)

    assert (done.run_ids, done.changed) == ((), (run.id,))
    assert (stored(db, run).override_id, count_of(db, Override)) == (None, 0)


def test_one_that_an_override_covers_already_stays_with_it(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    override_id = make_override(db, actor, job_id=job_id).override_id
    run = make_told_run(db, job_id)

    mark(db, actor, run)

    assert (stored(db, run).override_id, count_of(db, Override)) == (override_id, 1)


def test_undoing_the_review_takes_the_mark_back(db: Session, actor: Actor) -> None:
    run = make_run(db, status=FAILED)
    done = mark(db, actor, run)
    version = stored(db, run).verdict_version

    undo_review(db, done.review_id, actor=actor, may_undo_any=False, now=MORNING)

    now = stored(db, run)
    assert (now.override_id, now.overridden_at, now.reviewed_at) == (None, None, None)
    assert now.verdict_version == version + 1


def test_undone_it_comes_under_an_override_that_was_made_meanwhile(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    run = make_told_run(db, job_id)
    done = mark(db, actor, run)
    override = make_override(db, actor, job_id=job_id, now=MORNING, afterwards=True)
    assert override.runs == 0

    undo_review(db, done.review_id, actor=actor, may_undo_any=False, now=MORNING)

    assert stored(db, run).override_id == override.override_id


def test_a_mark_does_not_survive_a_retry_that_fails_otherwise(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    run = make_told_run(db, job_id, {"SQL01": (WARNING, DISK)})
    mark(db, actor, run)

    again = make_told_run(db, job_id, {"SQL01": (FAILED, "no connection")}, run_at=NIGHT + timedelta(minutes=9))

    assert again.id == run.id
    assert (again.override_id, again.reviewed_at) == (None, None)


@pytest.mark.parametrize(
    "again, holds",
    [
        ("Disk almost full (3 % left)", True),
        ("", True),
        ("The network connection was lost", False),
    ],
)
def test_a_mark_does_not_survive_a_retry_with_another_error_of_the_same_object(
    db: Session, actor: Actor, *, again: str, holds: bool
) -> None:
    job_id = make_job(db)
    run = make_told_run(db, job_id, {"SQL01": (FAILED, DISK)})
    mark(db, actor, run)
    version = stored(db, run).verdict_version

    make_told_run(db, job_id, {"SQL01": (FAILED, again)}, run_at=NIGHT + timedelta(minutes=9))

    now = stored(db, run)
    assert (now.override_id is not None, now.reviewed_at is not None) == (holds, holds)
    assert holds or now.verdict_version > version


def test_a_mark_does_not_outlive_the_trouble(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    run = make_told_run(db, job_id, {"SQL01": (WARNING, DISK)})
    mark(db, actor, run)

    again = make_told_run(db, job_id, {"SQL01": (SUCCESS, "")}, run_at=NIGHT + timedelta(minutes=9))

    assert (again.status, again.override_id, again.reviewed_at is None) == (SUCCESS, None, False)


def test_a_deleted_mark_brings_the_run_back(db: Session, actor: Actor) -> None:
    run = make_run(db, status=FAILED)
    mark(db, actor, run)

    delete_override(db, stored(db, run).override_id, actor=actor, now=MORNING)

    assert (stored(db, run).override_id, stored(db, run).reviewed_at) == (None, None)


def test_marking_is_in_the_audit_log(db: Session, actor: Actor) -> None:
    run = make_run(db, status=FAILED)

    mark(db, actor, run)

    entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "runs.marked_success")).one()
    assert entry.after == {"runs": [run.id], "reason": "it was a test"}
