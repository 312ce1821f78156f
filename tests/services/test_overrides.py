"""Overrides are added, ended, extended, taken back and deleted, and the runs follow."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from shared.db.session import transaction
from shared.domain.permissions import Role
from shared.domain.status import Status
from shared.domain.typed_override import Mistyped
from shared.models.audit import AuditEntry
from shared.models.jobs import JobRun
from shared.models.overrides import Override
from shared.services.audit import Actor
from shared.services.edit_job import archive_job, delete_job
from shared.services.errors import BadInput, Conflict, NotAllowed, NotFound
from shared.services.overrides import (
    delete_override,
    end_override,
    extend_override,
    take_back_afterwards,
)
from shared.services.review_runs import review_runs
from tests.builders import NIGHT, count_of, make_job, make_user
from tests.override_builders import DISK, make_override, make_told_run

WARNING, FAILED, SUCCESS = Status.WARNING, Status.FAILED, Status.SUCCESS
DAY = timedelta(days=1)


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


def stored(db: Session, run_id: int) -> JobRun:
    return db.get_one(JobRun, run_id, populate_existing=True)


def override_of(db: Session, run: JobRun) -> int | None:
    return stored(db, run.id).override_id


def review(db: Session, runs: Sequence[JobRun], actor: Actor, **more: object) -> None:
    seen = [(run.id, stored(db, run.id).verdict_version) for run in runs]
    review_runs(db, seen, actor=actor, now=more.pop("now", NIGHT + timedelta(hours=9)), **more)


# Adding, with and without what came before


def test_runs_that_came_before_stay_as_they_are_unless_that_is_asked_for(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    old, open_, good = (make_told_run(db, job_id, run_at=NIGHT + number * DAY) for number in (-120, 0, 1))
    review(db, [good], actor)
    later = NIGHT + 2 * DAY

    make_override(db, actor, job_id=job_id, now=later)
    assert [override_of(db, run) for run in (old, open_, good)] == [None, None, None]
    added = make_override(db, actor, job_id=job_id, now=later, afterwards=True)

    assert [override_of(db, run) for run in (old, open_, good)] == [None, added.override_id, added.override_id]
    assert added.runs == 2
    assert [stored(db, run.id).reviewed_at is None for run in (open_, good)] == [True, False]
    assert stored(db, open_.id).verdict_version == 2


def test_taking_back_what_came_before_reopens_only_what_was_reviewed_as_a_success(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    before, since, after = (make_told_run(db, job_id, run_at=NIGHT + number * DAY) for number in range(3))
    added_at = NIGHT + 2 * DAY + timedelta(hours=1)
    review(db, [before], actor)
    override = make_override(db, actor, job_id=job_id, now=added_at, afterwards=True)
    review(db, [since], actor, now=added_at + timedelta(hours=1))
    newer = make_told_run(db, job_id, run_at=added_at + DAY)

    done = take_back_afterwards(db, override.override_id, actor=actor, may_edit_global=False, now=added_at + DAY)

    assert set(done.lost) == {before.id, since.id, after.id}
    assert [override_of(db, run) is None for run in (before, since, after, newer)] == [True, True, True, False]
    assert [stored(db, run.id).reviewed_at is None for run in (before, since, after)] == [False, True, True]
    with pytest.raises(Conflict):
        take_back_afterwards(db, override.override_id, actor=actor, may_edit_global=False, now=added_at + DAY)


@pytest.mark.parametrize(
    "typed, field",
    [
        ({"text": "", "job_id": ""}, "text"),
        ({"text": "abc", "job_id": ""}, "text"),
        ({"reason": "  "}, "reason"),
        ({"reason": "x" * 301}, "reason"),
        ({"ends_on": ""}, "ends_on"),
        ({"ends_on": "2026-03-01"}, "ends_on"),
        ({"ends_on": "2027-03-09"}, "ends_on"),
        ({"starts_on": "2026-03-01"}, "starts_on"),
        ({"starts_on": "2026-06-01", "ends_on": "2026-05-31"}, "ends_on"),
        ({"starts_on": "2026-04-01", "afterwards": True}, "starts_on"),
        ({"status": "failed"}, "covers"),
        ({"status": "missed", "failed": True}, "covers"),
        ({"status": "success"}, "status"),
        ({"mode": "regex"}, "mode"),
    ],
)
def test_what_makes_no_override_is_said_at_its_field(
    db: Session, actor: Actor, typed: dict[str, object], field: str
) -> None:
    with pytest.raises(Mistyped) as problem:
        make_override(db, actor, **{"job_id": make_job(db), **typed})

    assert list(problem.value.errors) == [field]
    assert count_of(db, Override) == 0


def test_one_of_all_jobs_is_an_administrators(db: Session, actor: Actor) -> None:
    with pytest.raises(NotAllowed):
        make_override(db, actor, may_edit_global=False)
    override = make_override(db, make_user(db, role=Role.ADMIN))

    for act in (end_override, take_back_afterwards):
        with pytest.raises(NotAllowed):
            act(db, override.override_id, actor=actor, may_edit_global=False, now=NIGHT)


def test_one_of_a_job_that_is_gone_is_refused(db: Session, actor: Actor) -> None:
    with pytest.raises(BadInput):
        make_override(db, actor, job_id=999_999)


# Ending, extending, deleting


def test_one_that_ended_early_is_over_and_cannot_be_extended(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    override_id = make_override(db, actor, job_id=job_id).override_id
    known = make_told_run(db, job_id)

    end_override(db, override_id, actor=actor, may_edit_global=False, now=NIGHT + DAY)
    new = make_told_run(db, job_id, run_at=NIGHT + 2 * DAY)

    assert (override_of(db, known), override_of(db, new)) == (override_id, None)
    with pytest.raises(Conflict):
        extend_override(db, override_id, NIGHT + 30 * DAY, actor=actor, may_edit_global=False, now=NIGHT + 2 * DAY)


def test_one_is_extended_for_a_year_at_most(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    override_id = make_override(db, actor, job_id=job_id).override_id

    extend_override(db, override_id, NIGHT + 200 * DAY, actor=actor, may_edit_global=False, now=NIGHT)
    late = make_told_run(db, job_id, run_at=NIGHT + 199 * DAY)

    assert override_of(db, late) == override_id
    for too_far in (NIGHT, NIGHT + 400 * DAY):
        with pytest.raises(BadInput):
            extend_override(db, override_id, too_far, actor=actor, may_edit_global=False, now=NIGHT)


def test_deleting_one_leaves_runs_as_they_are_without_it(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    general = make_override(db, actor).override_id
    of_vss = make_override(db, actor, job_id=job_id, text="VSS").override_id
    alone = make_told_run(db, job_id)
    both = make_told_run(db, job_id, {"SQL01": (WARNING, DISK), "DC01": (WARNING, "VSS")}, run_at=NIGHT + DAY)
    old = make_told_run(db, job_id, {"DC01": (WARNING, "VSS")}, run_at=NIGHT + 2 * DAY)
    review(db, [both, old], actor, now=NIGHT + 3 * DAY)

    delete_override(db, of_vss, actor=actor, now=NIGHT + 15 * DAY + timedelta(hours=1))

    assert [override_of(db, run) for run in (alone, both, old)] == [general, None, None]
    assert [stored(db, run.id).reviewed_at is None for run in (both, old)] == [False, True]
    assert db.get(Override, of_vss) is None
    with pytest.raises(NotFound):
        delete_override(db, of_vss, actor=actor, now=NIGHT)


def test_of_two_that_cover_the_same_the_other_stays(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    general = make_override(db, actor).override_id
    of_job = make_override(db, actor, job_id=job_id).override_id
    run = make_told_run(db, job_id)
    review(db, [run], actor)
    assert override_of(db, run) == of_job

    delete_override(db, of_job, actor=actor, now=NIGHT + DAY)

    assert override_of(db, run) == general
    assert stored(db, run.id).reviewed_at is not None


def test_a_failure_that_was_reviewed_as_a_success_comes_back_whatever_overrides_it_passed_through(
    db: Session, actor: Actor
) -> None:
    job_id = make_job(db)
    first = make_override(db, actor, job_id=job_id, text="", failed=True)
    run = make_told_run(db, job_id, {"SQL01": (FAILED, DISK)})
    review(db, [run], actor, now=NIGHT + timedelta(hours=9))
    at_ten = {"now": NIGHT + timedelta(hours=10), "afterwards": True}
    narrower = make_override(db, actor, job_id=job_id, object_name="SQL01", failed=True, **at_ten)
    assert override_of(db, run) == narrower.override_id

    for each in (first, narrower):
        delete_override(db, each.override_id, actor=actor, now=NIGHT + timedelta(hours=11))

    assert (override_of(db, run), stored(db, run.id).reviewed_at) == (None, None)


def test_runs_are_locked_in_everybodys_order_before_any_of_them_changes(committed_db: Session) -> None:
    actor = make_user(committed_db)
    job_id = make_job(committed_db)
    make_override(committed_db, actor)
    of_job = make_override(committed_db, actor, job_id=job_id, text="").override_id
    kept = make_told_run(committed_db, job_id).id
    lost = make_told_run(committed_db, job_id, {"DC01": (WARNING, "VSS")}, run_at=NIGHT + DAY).id
    committed_db.commit()

    def delete_it() -> None:
        with transaction() as other:
            delete_override(other, of_job, actor=actor, now=NIGHT + DAY)

    with ThreadPoolExecutor(1) as beside:
        with transaction() as db:
            db.execute(select(JobRun.id).where(JobRun.id == kept).with_for_update())
            deletion = beside.submit(delete_it)
            while not db.scalar(select(func.count()).select_from(text("pg_locks")).where(text("NOT granted"))):
                assert not deletion.done()
            db.execute(select(JobRun.id).where(JobRun.id == lost).with_for_update(nowait=True))
        deletion.result()

    assert [
        committed_db.get_one(JobRun, each, populate_existing=True).override_id is None for each in (kept, lost)
    ] == [
        False,
        True,
    ]


def test_a_job_is_deleted_with_its_overrides(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    make_override(db, actor, job_id=job_id)
    make_told_run(db, job_id)
    archive_job(db, job_id, actor=actor, now=NIGHT)

    delete_job(db, job_id, actor=actor, now=NIGHT)

    assert (count_of(db, JobRun), count_of(db, Override)) == (0, 0)


def test_every_act_is_in_the_audit_log(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    run = make_told_run(db, job_id)
    override_id = make_override(db, actor, job_id=job_id, now=NIGHT + DAY, afterwards=True).override_id
    common = {"actor": actor, "now": NIGHT + DAY}

    extend_override(db, override_id, NIGHT + 200 * DAY, may_edit_global=False, **common)
    take_back_afterwards(db, override_id, may_edit_global=False, **common)
    end_override(db, override_id, may_edit_global=False, **common)
    delete_override(db, override_id, **common)

    entries = db.scalars(select(AuditEntry).where(AuditEntry.subject_type == "override").order_by(AuditEntry.id)).all()
    acts = ["added", "extended", "taken_back", "ended", "deleted"]
    assert [entry.action for entry in entries] == [f"override.{act}" for act in acts]
    assert entries[0].after["runs"] == entries[2].after["runs"] == [run.id]
