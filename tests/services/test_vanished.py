"""Objects that a report used to list and lists no more."""

import random
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.status import Status
from shared.models.jobs import JobRun, VanishedObject
from shared.services.audit import Actor
from shared.services.confirm_removed import confirm_removed
from shared.services.errors import BadInput, NotFound
from shared.services.mark_success import mark_success
from shared.services.review_runs import review_runs
from tests.builders import NOW, arrive, make_job, make_run, make_user, nights, runs_of
from tests.ledger import broken_promises
from tests.mails import report_mail
from tests.override_builders import make_told_run

BOTH, ONE = ("OAK-FS1", "OAK-DC1"), ("OAK-FS1",)


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


def import_nights(db: Session, *listed: tuple[str, ...], order: list[int] | None = None) -> int:
    """Import a night's report per entry, in the order of the nights or in another; return the job."""
    job_id = make_job(db)
    reports = [
        report_mail(objects=objects, sent_at=at) for objects, at in zip(listed, nights(len(listed)), strict=True)
    ]
    for number in order or range(len(reports)):
        arrive(db, reports[number])
    return job_id


def findings(db: Session, job_id: int) -> list[tuple[datetime, str]]:
    rows = db.execute(
        select(JobRun.run_at, VanishedObject.name)
        .join(VanishedObject, VanishedObject.run_id == JobRun.id)
        .where(JobRun.job_id == job_id)
        .order_by(JobRun.run_at, VanishedObject.name)
    )
    return [(run_at, name) for run_at, name in rows]


def statuses(db: Session, job_id: int) -> list[Status]:
    return [run.status for run in runs_of(db, job_id)]


def test_an_object_of_the_last_five_runs_that_is_gone_makes_the_success_a_warning(db: Session) -> None:
    job_id = import_nights(db, BOTH, BOTH, BOTH, BOTH, BOTH, ONE)

    last = runs_of(db, job_id)[-1]
    assert (last.raw_status, last.status) == (Status.SUCCESS, Status.WARNING)
    assert "OAK-DC1" in last.message
    assert findings(db, job_id) == [(nights(6)[5], "OAK-DC1")]


def test_four_runs_are_too_few_to_miss_an_object(db: Session) -> None:
    job_id = import_nights(db, BOTH, BOTH, BOTH, BOTH, ONE)

    assert statuses(db, job_id) == [Status.SUCCESS] * 5


def test_an_object_that_came_and_went_is_not_missed(db: Session) -> None:
    job_id = import_nights(db, BOTH, BOTH, ONE, BOTH, BOTH, ONE)

    assert findings(db, job_id) == []


def test_it_stays_missed_on_the_second_night_and_until_it_is_back(db: Session) -> None:
    job_id = import_nights(db, *[BOTH] * 5, ONE, ONE, BOTH)

    assert statuses(db, job_id)[5:] == [Status.WARNING, Status.WARNING, Status.SUCCESS]


def test_a_report_that_does_not_list_everything_misses_nothing_and_teaches_nothing(db: Session) -> None:
    job_id = make_job(db)
    *first, failed, last = nights(7)
    for at in first:
        arrive(db, report_mail(objects=BOTH, sent_at=at))

    arrive(db, report_mail(objects=ONE, status="Failed", sent_at=failed))
    arrive(db, report_mail(objects=ONE, sent_at=last))

    assert statuses(db, job_id)[-2:] == [Status.FAILED, Status.WARNING]
    assert findings(db, job_id) == [(last, "OAK-DC1")]


def test_a_confirmed_removal_gives_the_success_back_and_changes_what_was_seen(db: Session, actor: Actor) -> None:
    job_id = import_nights(db, *[BOTH] * 5, ONE, ONE)
    before = [run.verdict_version for run in runs_of(db, job_id)]

    changed = confirm_removed(db, runs_of(db, job_id)[-1].id, "oak-dc1", actor=actor, reason="retired", now=NOW)

    assert changed == 2
    assert statuses(db, job_id) == [Status.SUCCESS] * 7
    assert [run.verdict_version for run in runs_of(db, job_id)] == [*before[:5], before[5] + 1, before[6] + 1]
    assert [run.message for run in runs_of(db, job_id)] == [""] * 7


def test_a_confirmed_removal_is_not_missed_again(db: Session, actor: Actor) -> None:
    job_id = import_nights(db, *[BOTH] * 5, ONE)
    confirm_removed(db, runs_of(db, job_id)[-1].id, "OAK-DC1", actor=actor, reason="retired", now=NOW)

    arrive(db, report_mail(objects=ONE, sent_at=nights(7)[-1]))

    assert statuses(db, job_id)[-1] is Status.SUCCESS


def test_one_of_two_confirmed_leaves_the_warning(db: Session, actor: Actor) -> None:
    job_id = import_nights(db, *[("A", "B", "C")] * 5, ("A",))
    run = runs_of(db, job_id)[-1]

    changed = confirm_removed(db, run.id, "B", actor=actor, reason="retired", now=NOW)

    assert (changed, statuses(db, job_id)[-1]) == (0, Status.WARNING)
    assert runs_of(db, job_id)[-1].message == "no longer in the report: C"


def test_a_removal_needs_a_reason_and_a_finding(db: Session, actor: Actor) -> None:
    job_id = import_nights(db, *[BOTH] * 5, ONE)
    run = runs_of(db, job_id)[-1]

    with pytest.raises(BadInput):
        confirm_removed(db, run.id, "OAK-DC1", actor=actor, reason="  ", now=NOW)
    with pytest.raises(BadInput):
        confirm_removed(db, run.id, "OAK-DC1", actor=actor, reason="x" * 301, now=NOW)
    with pytest.raises(NotFound):
        confirm_removed(db, run.id, "OAK-FS1", actor=actor, reason="retired", now=NOW)


def test_what_no_column_takes_is_left_out_of_a_removal(db: Session, actor: Actor) -> None:
    job_id = import_nights(db, *[BOTH] * 5, ONE)

    confirm_removed(db, runs_of(db, job_id)[-1].id, "OAK-DC1\0", actor=actor, reason=" reti\0red ", now=NOW)

    assert db.scalars(select(VanishedObject.reason)).all() == ["retired"]


@pytest.mark.parametrize("seed", range(6))
def test_the_order_in_which_mails_come_in_changes_nothing(db: Session, seed: int) -> None:
    listed = (
        [("A", "B", "C")] * 6
        + [("A", "C")] * 2
        + [("A", "B", "C")]
        + [("A", "B")] * 3
        + [("A", "C"), ("A", "B", "C")] * 3
    )
    order = random.Random(seed).sample(range(len(listed)), len(listed))
    expected = import_nights(db, *listed)
    shown = [(run.run_at, run.status) for run in runs_of(db, expected)], findings(db, expected)
    elsewhere = make_job(db, sender="backup@elm.example")

    for number in order:
        at = nights(len(listed))[number]
        arrive(db, report_mail(objects=listed[number], sent_at=at, sender="backup@elm.example"))

    assert ([(run.run_at, run.status) for run in runs_of(db, elsewhere)], findings(db, elsewhere)) == shown
    assert broken_promises(db) == {}


def test_a_night_that_comes_in_late_opens_the_review_of_the_run_that_it_makes_worse(db: Session, actor: Actor) -> None:
    job_id = import_nights(db, *[BOTH] * 5, ONE, order=[0, 1, 2, 3, 5])
    seen = runs_of(db, job_id)[-1]
    review_runs(db, [(seen.id, seen.verdict_version)], actor=actor, now=NOW)

    arrive(db, report_mail(objects=BOTH, sent_at=nights(5)[4]))

    last = runs_of(db, job_id)[-1]
    assert (last.status, last.reviewed_at, last.verdict_version) == (Status.WARNING, None, 2)


def a_warning_that_lacks_one(db: Session) -> tuple[int, JobRun]:
    """Import four nights and the sixth, a warning without an object that only the fifth night shows to be missing."""
    job_id = import_nights(db, *[BOTH] * 4)
    arrive(db, report_mail(objects=ONE, status="Warning", sent_at=nights(6)[5]))
    run = runs_of(db, job_id)[-1]
    assert (run.status, run.verdict_version, findings(db, job_id)) == (Status.WARNING, 1, [])
    return job_id, run


def the_fifth_night_comes(db: Session, job_id: int) -> JobRun:
    arrive(db, report_mail(objects=BOTH, sent_at=nights(5)[4]))
    assert findings(db, job_id) == [(nights(6)[5], "OAK-DC1")]
    return runs_of(db, job_id)[-1]


def test_a_finding_that_was_added_is_reviewed_by_nobody_who_has_not_seen_it(db: Session, actor: Actor) -> None:
    job_id, seen = a_warning_that_lacks_one(db)
    pair = (seen.id, seen.verdict_version)

    the_fifth_night_comes(db, job_id)

    assert review_runs(db, [pair], actor=actor, now=NOW).changed == (seen.id,)
    assert the_run(db, seen).reviewed_at is None


def test_a_finding_that_was_added_opens_the_review_though_the_verdict_stays(db: Session, actor: Actor) -> None:
    job_id, seen = a_warning_that_lacks_one(db)
    review_runs(db, [(seen.id, 1)], actor=actor, now=NOW)

    last = the_fifth_night_comes(db, job_id)

    assert (last.status, last.reviewed_at, last.verdict_version) == (Status.WARNING, None, 2)


def test_a_finding_that_was_added_ends_a_mark(db: Session, actor: Actor) -> None:
    job_id, seen = a_warning_that_lacks_one(db)
    mark_success(db, [(seen.id, 1)], reason="known", actor=actor, now=NOW)

    last = the_fifth_night_comes(db, job_id)

    assert (last.override_id, last.reviewed_at) == (None, None)


def test_a_finding_that_a_further_mail_of_the_night_adds_opens_the_review(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    *five, sixth = nights(6)
    for at in five:
        make_run(db, job_id, run_at=at, objects=("SQL01", "B"), complete=True)
    first = make_told_run(db, job_id, run_at=sixth)
    review_runs(db, [(first.id, first.verdict_version)], actor=actor, now=NOW)

    run = make_told_run(db, job_id, run_at=sixth + timedelta(minutes=9), complete=True)

    assert (run.id, run.reviewed_at, run.verdict_version) == (first.id, None, 2)
    assert findings(db, job_id) == [(sixth, "B")]


def the_run(db: Session, run: JobRun) -> JobRun:
    return db.get_one(JobRun, run.id, populate_existing=True)
