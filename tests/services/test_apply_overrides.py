"""Runs count as success where an override means all that is wrong with them, and nowhere else."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from shared.db.session import transaction
from shared.domain.status import Status
from shared.models.jobs import JobRun, VanishedObject
from shared.models.overrides import Override
from shared.services.audit import Actor
from shared.services.confirm_removed import confirm_removed
from shared.services.overrides import (
    delete_override,
    end_override,
)
from shared.services.record_run import lock_jobs, record_missed_run, record_overdue_run
from shared.services.review_runs import review_runs
from tests.builders import NIGHT, arrive, count_of, make_job, make_run, make_user, nights, runs_of
from tests.mails import report_mail
from tests.override_builders import DISK, make_override, make_told_run
from tests.slot_builders import make_slot

WARNING, FAILED, SUCCESS = Status.WARNING, Status.FAILED, Status.SUCCESS
DAY = timedelta(days=1)


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


def stored(db: Session, run_id: int) -> JobRun:
    return db.get_one(JobRun, run_id, populate_existing=True)


def override_of(db: Session, run: JobRun) -> int | None:
    return stored(db, run.id).override_id


def the_override(db: Session, override_id: int) -> Override:
    return db.get_one(Override, override_id, populate_existing=True)


def review(db: Session, runs: Sequence[JobRun], actor: Actor, **more: object) -> None:
    seen = [(run.id, stored(db, run.id).verdict_version) for run in runs]
    review_runs(db, seen, actor=actor, now=more.pop("now", NIGHT + timedelta(hours=9)), **more)


# A run as it is made


def test_a_run_of_a_known_problem_counts_as_success_and_keeps_its_verdict(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    override = make_override(db, actor, job_id=job_id)

    run = make_told_run(db, job_id)

    assert (run.override_id, run.raw_status, run.status) == (override.override_id, WARNING, WARNING)
    assert run.overridden_at == NIGHT
    assert (run.verdict_version, run.reviewed_at) == (1, None)


def test_a_good_run_is_under_no_override(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    make_override(db, actor, job_id=job_id, text="")

    assert make_run(db, job_id).override_id is None


def test_a_hit_is_counted_for_all_overrides_that_a_run_takes(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    disk = make_override(db, actor, job_id=job_id)
    vss = make_override(db, actor, text="VSS writer timed out")
    unused = make_override(db, actor, text="snapshot is old")
    told = {"SQL01": (WARNING, DISK), "DC01": (WARNING, "VSS writer timed out")}

    for at in nights(2):
        make_told_run(db, job_id, told, run_at=at)

    rows = [the_override(db, each.override_id) for each in (disk, vss, unused)]
    assert [(row.hits, row.last_hit_at) for row in rows] == [(2, nights(2)[1]), (2, nights(2)[1]), (0, None)]


def test_one_object_that_nothing_covers_leaves_the_run_as_it_is(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    make_override(db, actor, job_id=job_id)

    run = make_told_run(db, job_id, {"SQL01": (WARNING, DISK), "DC01": (WARNING, "VSS writer timed out")})

    assert run.override_id is None


def test_what_no_object_explains_has_to_be_covered_too(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    make_override(db, actor, job_id=job_id, failed=True)
    stopped = {"says": "the job was stopped by a user", "status": FAILED}

    first = make_told_run(db, job_id, **stopped)
    make_override(db, actor, job_id=job_id, text="stopped by a user", failed=True)
    second = make_told_run(db, job_id, run_at=NIGHT + DAY, **stopped)

    assert (first.override_id is None, second.override_id is None) == (True, False)


@pytest.mark.parametrize("processed, is_blue", [("5 of 5", True), ("2 of 5", False)])
def test_machines_that_were_never_processed_are_left_beside_a_covered_object(
    db: Session, actor: Actor, *, processed: str, is_blue: bool
) -> None:
    job_id = make_job(db)
    listed = ("OAK-A", "OAK-B", "OAK-C", "OAK-FS1", "OAK-DC1") if is_blue else ("OAK-FS1", "OAK-DC1")
    make_override(db, actor, job_id=job_id, object_name="OAK-DC1", text="")
    report = report_mail(status="Warning", objects=listed)

    arrive(db, report.replace(f"{len(listed)} of {len(listed)} VMs".encode(), f"{processed} VMs".encode()))

    (run,) = runs_of(db, job_id)
    assert (run.status, run.override_id is not None) == (WARNING, is_blue)


@pytest.mark.parametrize(
    "says, is_blue",
    [("Job finished with 1 warning", True), (DISK, True), ("the repository is full", False)],
)
def test_what_the_mail_says_beside_a_covered_object_has_to_be_covered_too(
    db: Session, actor: Actor, *, says: str, is_blue: bool
) -> None:
    job_id = make_job(db)
    make_override(db, actor, job_id=job_id, object_name="SQL01")

    first = make_told_run(db, job_id, says=says)
    make_override(db, actor, job_id=job_id, text="repository is full")
    second = make_told_run(db, job_id, says=says, run_at=NIGHT + DAY)

    assert (first.override_id is not None, second.override_id is not None) == (is_blue, True)


def test_what_the_first_mail_says_stays_until_a_retry_is_about_all_of_it(db: Session, actor: Actor) -> None:
    job_id, other = make_job(db, "One"), make_job(db, "Other")
    for each in (job_id, other):
        make_override(db, actor, job_id=each, text="", object_name="SQL01")
        make_told_run(db, each, says="the repository is full")

    silent = make_told_run(db, job_id, run_at=NIGHT + timedelta(minutes=9))
    retried = make_told_run(db, other, retry=1, run_at=NIGHT + timedelta(minutes=9))

    assert (silent.override_id, retried.override_id is None) == (None, False)


def test_a_vanished_object_has_to_be_covered_by_words_that_say_so(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    make_override(db, actor, job_id=job_id, text="", failed=True)
    *five, sixth, seventh = nights(7)
    for at in five:
        make_run(db, job_id, run_at=at, objects=("A", "B"), complete=True)

    without = make_run(db, job_id, run_at=sixth, objects=("A",), complete=True)
    make_override(db, actor, job_id=job_id, object_name="B", text="no longer in the report")
    covered = make_run(db, job_id, run_at=seventh, objects=("A",), complete=True)

    assert (without.status, override_of(db, without)) == (WARNING, None)
    assert (covered.status, override_of(db, covered) is None) == (WARNING, False)


def test_what_failed_is_covered_only_where_that_was_chosen(db: Session, actor: Actor) -> None:
    warnings_only, failures_too = make_job(db, "One"), make_job(db, "Other")
    make_override(db, actor, job_id=warnings_only)
    make_override(db, actor, job_id=failures_too, failed=True)
    told = {"SQL01": (FAILED, DISK)}

    runs = [make_told_run(db, job_id, told) for job_id in (warnings_only, failures_too)]

    assert [run.override_id is None for run in runs] == [True, False]


def test_what_never_came_is_covered_only_where_that_was_chosen(db: Session, actor: Actor) -> None:
    blind, chosen = make_job(db, "One"), make_job(db, "Other")
    make_override(db, actor, job_id=blind, text="", failed=True, unreadable=True)
    make_override(db, actor, job_id=chosen, text="", missed=True)

    missed = [record_missed_run(db, job_id, slot_at=NIGHT, message="no report came") for job_id in (blind, chosen)]
    overdue = [
        record_overdue_run(db, job_id, passed_at=NIGHT, days=4, message="no good backup") for job_id in (blind, chosen)
    ]

    assert [stored(db, run_id).override_id is None for run_id in missed + overdue] == [True, False] * 2


def test_what_could_not_be_read_is_covered_only_where_that_was_chosen(db: Session, actor: Actor) -> None:
    blind, chosen = make_job(db, "One"), make_job(db, "Other")
    make_override(db, actor, job_id=blind, text="", failed=True, missed=True)
    make_override(db, actor, job_id=chosen, text="", unreadable=True)

    runs = [make_run(db, job_id, status=Status.UNREADABLE) for job_id in (blind, chosen)]

    assert [run.override_id is None for run in runs] == [True, False]


def test_an_override_of_a_product_is_about_all_its_jobs_and_no_others(db: Session, actor: Actor) -> None:
    veeam, kopia = make_job(db, "One", software="Veeam"), make_job(db, "Other", software="Kopia")
    make_override(db, actor, software="Veeam")

    assert [make_told_run(db, job_id).override_id is None for job_id in (veeam, kopia)] == [False, True]


def test_an_override_is_about_the_runs_of_its_time_whenever_they_come_in(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    override = make_override(db, actor, job_id=job_id, now=NIGHT)
    end_override(db, override.override_id, actor=actor, may_edit_global=False, now=NIGHT + 2 * DAY)

    runs = [make_told_run(db, job_id, run_at=NIGHT + number * DAY) for number in (3, 1, -1)]

    assert [override_of(db, run) is None for run in runs] == [True, False, True]


# A run that is judged again


def test_a_problem_more_takes_the_override_away_and_the_run_is_to_be_reviewed_again(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    make_override(db, actor, job_id=job_id)
    run = make_told_run(db, job_id, {"SQL01": (WARNING, DISK)})
    review(db, [run], actor)

    again = make_told_run(db, job_id, {"SQL01": (WARNING, "VSS writer timed out")}, run_at=NIGHT + timedelta(minutes=9))

    assert again.id == run.id
    assert (again.override_id, again.overridden_at, again.reviewed_at) == (None, None, None)


def test_a_retry_that_leaves_the_known_problem_only_brings_the_run_under_the_override(
    db: Session, actor: Actor
) -> None:
    job_id = make_job(db)
    override = make_override(db, actor, job_id=job_id)
    make_told_run(db, job_id, {"SQL01": (FAILED, "no connection")})

    run = make_told_run(db, job_id, {"SQL01": (WARNING, DISK)}, run_at=NIGHT + timedelta(minutes=9))

    assert (run.override_id, run.status) == (override.override_id, WARNING)
    attempts = db.scalars(select(JobRun.override_id).where(JobRun.attempt_of_id == run.id)).all()
    assert attempts == [None]


def test_a_retry_that_helps_leaves_a_plain_success(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    make_override(db, actor, job_id=job_id)
    make_told_run(db, job_id)

    run = make_told_run(db, job_id, {"SQL01": (SUCCESS, "")}, run_at=NIGHT + timedelta(minutes=9))

    assert (run.status, run.override_id) == (SUCCESS, None)


def test_the_mail_that_came_after_all_leaves_nothing_of_the_override_of_its_missed_run(
    db: Session, actor: Actor
) -> None:
    job_id = make_job(db)
    make_override(db, actor, job_id=job_id, text="", missed=True)
    slot = make_slot(db, job_id, NIGHT.date(), 23)
    missed_id = record_missed_run(db, job_id, slot_at=slot.slot_at, message="no report came")
    assert stored(db, missed_id).override_id is not None

    run = make_told_run(db, job_id, {"SQL01": (FAILED, "no connection")}, run_at=slot.slot_at + timedelta(hours=3))

    assert (run.id, run.status, run.override_id) == (missed_id, FAILED, None)


def test_confirming_what_vanished_brings_the_run_under_the_override(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    make_override(db, actor, job_id=job_id)
    *five, sixth = nights(6)
    for at in five:
        make_run(db, job_id, run_at=at, objects=("SQL01", "B"), complete=True)
    run = make_told_run(db, job_id, run_at=sixth, complete=True)
    assert (override_of(db, run), count_of(db, VanishedObject)) == (None, 1)

    confirm_removed(db, run.id, "B", actor=actor, reason="sold", now=NIGHT)

    assert override_of(db, run) is not None


# Reviews


def test_an_overridden_failure_waits_for_review_and_needs_no_reason(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    make_override(db, actor, job_id=job_id, failed=True)
    run = make_told_run(db, job_id, {"SQL01": (FAILED, DISK)})
    assert run.reviewed_at is None

    review(db, [run], actor)

    assert stored(db, run.id).reviewed_at is not None


# Several at once


def test_mails_that_hit_several_overrides_at_once_lose_no_hit_and_wait_in_no_ring(committed_db: Session) -> None:
    actor = make_user(committed_db)
    texts = ("first problem", "second problem")
    overrides = [make_override(committed_db, actor, text=words).override_id for words in texts]
    jobs = [make_job(committed_db, f"Job {number}", origin=f"host {number}") for number in range(8)]
    committed_db.commit()

    def two_runs(number: int) -> None:
        """One mail about two jobs; every other mail meets the problems the other way round."""
        with transaction() as db:
            own = jobs[2 * number : 2 * number + 2]
            lock_jobs(db, own)
            for job_id, words in zip(own, texts if number % 2 else reversed(texts), strict=True):
                make_told_run(db, job_id, {"SQL01": (WARNING, words)})

    with ThreadPoolExecutor(4) as together:
        list(together.map(two_runs, range(4)))

    hits = select(Override.id, Override.hits).where(Override.id.in_(overrides))
    assert dict(committed_db.execute(hits).all()) == dict.fromkeys(overrides, 4)


def test_a_mail_that_comes_while_an_override_is_deleted_ends_with_or_without_it(committed_db: Session) -> None:
    actor = make_user(committed_db)
    job_id = make_job(committed_db)
    override_id = make_override(committed_db, actor, job_id=job_id).override_id
    committed_db.commit()

    def delete_it() -> None:
        with transaction() as other:
            delete_override(other, override_id, actor=actor, now=NIGHT + DAY)

    with ThreadPoolExecutor(1) as beside:
        with transaction() as db:
            lock_jobs(db, [job_id])
            deletion = beside.submit(delete_it)
            while not db.scalar(select(func.count()).select_from(text("pg_locks")).where(text("NOT granted"))):
                assert not deletion.done()
            make_told_run(db, job_id)
        deletion.result()

    assert committed_db.get(Override, override_id, populate_existing=True) is None
    assert committed_db.scalars(select(JobRun.override_id)).all() == [None]
