"""One night, one result: mails of one session and retries make one run to review."""

import itertools
from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun, VanishedObject
from shared.models.schedules import JobSlot
from shared.services.audit import Actor
from shared.services.confirm_removed import confirm_removed
from shared.services.record_run import record_missed_run
from shared.services.review_runs import review_runs
from tests.builders import NOW, arrive, make_job, make_run, make_user, nights, runs_of
from tests.ledger import broken_promises
from tests.mails import NIGHT, report_mail

S, W, F, U = Status.SUCCESS, Status.WARNING, Status.FAILED, Status.UNREADABLE


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


@pytest.fixture
def job_id(db: Session) -> int:
    return make_job(db)


def at(minute: int) -> datetime:
    return NIGHT + timedelta(minutes=minute)


def ran(
    db: Session,
    job_id: int,
    minute: int,
    status: Status,
    objects: Mapping[str, Status] | tuple[str, ...] = (),
    *,
    session: str | None = None,
    retry: int | None = None,
    complete: bool = False,
) -> JobRun:
    return make_run(
        db,
        job_id,
        status=status,
        run_at=at(minute),
        objects=objects,
        session_id=session,
        retry=retry,
        complete=complete,
    )


def heads(db: Session, job_id: int) -> list[JobRun]:
    return [run for run in runs_of(db, job_id) if run.attempt_of_id is None]


def head(db: Session, job_id: int) -> JobRun:
    (run,) = heads(db, job_id)
    return run


def retry_mail(*, objects: tuple[str, ...], sent_at: datetime) -> bytes:
    mail = report_mail(objects=objects, sent_at=sent_at)
    return mail.replace(b"Backup job: Nightly", b"Backup job: Nightly (Retry 1)")


def review(db: Session, run: JobRun, actor: Actor) -> None:
    review_runs(db, [(run.id, run.verdict_version)], actor=actor, now=NOW, reason="known")


def make_slot(db: Session, job_id: int, slot_at: datetime, *, early: int = 60, grace: int = 60) -> JobSlot:
    slot = JobSlot(
        job_id=job_id,
        slot_at=slot_at,
        day=slot_at.date(),
        early_from=slot_at - timedelta(minutes=early),
        deadline=slot_at + timedelta(minutes=grace),
        state=SlotState.EXPECTED,
    )
    db.add(slot)
    db.flush()
    return slot


# Retries


def test_a_retry_that_helps_makes_the_night_good(db: Session, job_id: int) -> None:
    ran(db, job_id, 0, F, {"OAK-FS1": F, "OAK-DC1": S})
    ran(db, job_id, 20, F, {"OAK-FS1": F}, retry=1)
    ran(db, job_id, 40, S, {"OAK-FS1": S}, retry=2)

    run = head(db, job_id)
    assert (run.status, run.raw_status, run.recovered_on, run.run_at) == (S, S, 2, at(0))
    assert run.message == "recovered on retry 2"
    assert [each.status for each in runs_of(db, job_id)] == [S, F, S]


def test_a_retry_that_leaves_something_out_does_not(db: Session, job_id: int) -> None:
    ran(db, job_id, 0, F, {"OAK-FS1": F, "OAK-DC1": F})
    ran(db, job_id, 20, S, {"OAK-FS1": S}, retry=1)

    run = head(db, job_id)
    assert (run.status, run.recovered_on) == (F, None)
    assert run.message.startswith("OAK-DC1")


def test_another_sessions_success_clears_nothing(db: Session, job_id: int) -> None:
    ran(db, job_id, 0, F, {"OAK-FS1": F})
    ran(db, job_id, 30, S, {"OAK-DC1": S})
    ran(db, job_id, 90, S, {"OAK-FS1": S})
    ran(db, job_id, 95, S)

    assert [run.status for run in heads(db, job_id)] == [F, S, S, S]


def test_a_session_of_another_name_clears_nothing_however_soon_it_comes(db: Session, job_id: int) -> None:
    ran(db, job_id, 0, F, {"A": F}, session="7")
    ran(db, job_id, 20, S, {"A": S}, session="8")

    assert [run.status for run in heads(db, job_id)] == [F, S]


def test_the_run_of_the_next_slot_is_no_retry(db: Session, job_id: int) -> None:
    make_slot(db, job_id, at(0), early=30, grace=30)
    make_slot(db, job_id, at(60), early=30, grace=30)
    ran(db, job_id, 0, F, {"OAK-FS1": F})

    ran(db, job_id, 58, S, {"OAK-FS1": S}, retry=1)

    assert [run.status for run in heads(db, job_id)] == [F, S]


def test_a_mail_that_says_retry_in_its_title_is_one(db: Session, job_id: int) -> None:
    arrive(db, report_mail(status="Failed"))
    arrive(db, retry_mail(objects=("OAK-DC1",), sent_at=at(55)))

    run = head(db, job_id)
    assert (run.status, run.recovered_on) == (S, 1)
    assert broken_promises(db) == {}


# Sessions


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_mails_of_one_session_are_one_run_in_whatever_order_they_come(
    db: Session, job_id: int, order: tuple[int, ...]
) -> None:
    mails = [(0, S, ("A",)), (2, F, ("B",)), (4, W, ("C",))]
    for number in order:
        minute, status, objects = mails[number]
        ran(db, job_id, minute, status, objects, session="7")

    run = head(db, job_id)
    assert (run.status, run.run_at, run.message) == (F, at(0), "B: failed (2 of 3)")
    assert sorted(each.raw_status for each in runs_of(db, job_id)) == sorted([F, F, W])


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_the_order_of_arrival_of_retries_decides_nothing(db: Session, job_id: int, order: tuple[int, ...]) -> None:
    mails = [
        (0, F, {"A": F, "B": F, "C": S}, None),
        (50, W, {"A": S, "B": F}, 1),
        (100, S, {"B": S}, 2),
        (120, S, {"B": S}, None),  # nothing was wrong any more: a run of its own
    ]
    for number in order:
        minute, status, objects, retry = mails[number]
        ran(db, job_id, minute, status, objects, retry=retry)

    first, second = heads(db, job_id)
    assert (first.status, first.recovered_on, first.run_at) == (S, 2, at(0))
    assert (second.status, second.recovered_on, second.run_at) == (S, None, at(120))
    assert {run.attempt_of_id for run in runs_of(db, job_id)} == {None, first.id}


def test_mails_that_began_together_are_one_session(db: Session, job_id: int) -> None:
    for minute, status, name in ((0, S, "A"), (9, F, "B")):
        make_run(db, job_id, status=status, run_at=at(minute), objects=(name,), started_at=at(-5))

    assert head(db, job_id).status is F


def test_two_jobs_with_one_session_id_stay_two(db: Session, job_id: int) -> None:
    other = make_job(db, "Other")
    ran(db, job_id, 0, F, session="7")
    ran(db, other, 1, S, session="7")

    assert (head(db, job_id).status, head(db, other).status) == (F, S)


# Reviews


def test_only_the_night_is_reviewed(db: Session, job_id: int, actor: Actor) -> None:
    ran(db, job_id, 0, F, {"A": F})
    ran(db, job_id, 20, F, {"A": F}, retry=1)

    retry = runs_of(db, job_id)[1]
    refused = review_runs(db, [(retry.id, retry.verdict_version)], actor=actor, now=NOW, reason="known")
    review(db, head(db, job_id), actor)

    assert refused.run_ids == ()
    assert [run.reviewed_at for run in runs_of(db, job_id)] == [NOW, None]


def test_a_night_that_gets_worse_is_to_be_reviewed_again(db: Session, job_id: int, actor: Actor) -> None:
    run = ran(db, job_id, 0, S, ("A",), session="7")
    review(db, run, actor)
    before = run.verdict_version

    ran(db, job_id, 5, F, ("B",), session="7")

    run = head(db, job_id)
    assert (run.status, run.reviewed_at, run.verdict_version) == (F, None, before + 1)


def test_something_new_that_fails_is_to_be_reviewed_though_it_is_no_worse(
    db: Session, job_id: int, actor: Actor
) -> None:
    review(db, ran(db, job_id, 0, F, ("A",), session="7"), actor)

    ran(db, job_id, 5, F, ("B",), session="7")

    assert head(db, job_id).reviewed_at is None


def test_a_recovery_after_the_review_leaves_it_reviewed(db: Session, job_id: int, actor: Actor) -> None:
    run = ran(db, job_id, 0, F, {"A": F})
    review(db, run, actor)
    before = run.verdict_version

    ran(db, job_id, 20, S, {"A": S}, retry=1)

    run = head(db, job_id)
    assert (run.status, run.reviewed_at, run.verdict_version) == (S, NOW, before + 1)


def test_nobody_reviews_an_attempt_that_he_has_not_seen(db: Session, job_id: int, actor: Actor) -> None:
    run = ran(db, job_id, 0, S, ("A",), session="7")
    on_screen = (run.id, run.verdict_version)
    ran(db, job_id, 5, W, ("B",), session="7")

    done = review_runs(db, [on_screen], actor=actor, now=NOW)

    assert (done.run_ids, done.changed) == ((), (run.id,))


def test_the_first_mail_that_comes_last_leaves_the_run_where_people_know_it(
    db: Session, job_id: int, actor: Actor
) -> None:
    later = ran(db, job_id, 20, S, ("A",), session="7")
    review(db, later, actor)

    ran(db, job_id, 0, S, ("B",), session="7")

    run = head(db, job_id)
    assert (run.id, run.run_at, run.reviewed_at) == (later.id, at(0), NOW)
    (attempt,) = [each for each in runs_of(db, job_id) if each.attempt_of_id]
    assert attempt.run_at == at(20)


# Missed runs


def test_the_first_late_mail_takes_the_missed_run_over_and_the_others_are_its_attempts(
    db: Session, job_id: int
) -> None:
    slot = make_slot(db, job_id, at(0))
    missed_id = record_missed_run(db, job_id, slot_at=slot.slot_at, message="no report came")

    for minute, status, name in ((130, S, "B"), (120, F, "A"), (140, S, "C")):
        ran(db, job_id, minute, status, (name,), session="7")

    run = head(db, job_id)
    assert (run.id, run.status, run.slot_at, run.is_late, run.run_at) == (missed_id, F, at(0), True, at(120))


def test_a_reviewed_missed_run_stays_and_the_late_session_is_one_run(db: Session, job_id: int, actor: Actor) -> None:
    slot = make_slot(db, job_id, at(0))
    missed_id = record_missed_run(db, job_id, slot_at=slot.slot_at, message="no report came")
    review(db, db.get_one(JobRun, missed_id), actor)

    for minute, status in ((120, S), (125, F)):
        ran(db, job_id, minute, status, (str(minute),), session="7")

    missed, late = heads(db, job_id)
    assert (missed.id, missed.status) == (missed_id, Status.MISSED)
    assert (late.status, late.late_for_id, late.reviewed_at) == (F, missed_id, None)


# Vanished objects


def test_the_machines_of_one_session_do_not_make_each_other_vanish(db: Session, job_id: int) -> None:
    for number, night in enumerate(nights(8)):
        for minute, name in enumerate("ABC"):
            when = night + timedelta(minutes=minute)
            make_run(db, job_id, run_at=when, objects=(name,), complete=True, session_id=str(number))

    assert [run.status for run in heads(db, job_id)] == [S] * 8
    assert db.scalars(select(VanishedObject)).all() == []


@pytest.mark.parametrize("backwards", [False, True])
def test_a_machine_that_no_mail_of_the_session_names_has_vanished(db: Session, job_id: int, *, backwards: bool) -> None:
    mails = [(number, minute, name) for number in range(6) for minute, name in enumerate("ABC")]
    mails.remove((5, 1, "B"))
    for number, minute, name in reversed(mails) if backwards else mails:
        when = NIGHT + timedelta(days=number, minutes=minute)
        make_run(db, job_id, run_at=when, objects=(name,), complete=True, session_id=str(number))

    assert [run.status for run in heads(db, job_id)] == [S] * 5 + [W]
    found = db.execute(select(VanishedObject.run_id, VanishedObject.name)).all()
    assert found == [(heads(db, job_id)[-1].id, "B")]


def test_what_was_confirmed_as_removed_stays_so_when_more_of_the_session_comes(
    db: Session, job_id: int, actor: Actor
) -> None:
    for number, night in enumerate(nights(5)):
        make_run(db, job_id, run_at=night, objects=("A", "B"), complete=True, session_id=str(number))
    last = nights(6)[-1]
    run = make_run(db, job_id, run_at=last + timedelta(minutes=5), objects=("A",), complete=True, session_id="6")
    confirm_removed(db, run.id, "B", actor=actor, reason="retired", now=NOW)

    make_run(db, job_id, run_at=last, objects=("C",), complete=True, session_id="6")

    assert heads(db, job_id)[-1].status is S


def test_a_retry_that_names_one_machine_does_not_make_the_others_vanish(db: Session, job_id: int) -> None:
    for night in nights(5):
        arrive(db, report_mail(objects=("OAK-FS1", "OAK-DC1"), sent_at=night))

    arrive(db, retry_mail(objects=("OAK-DC1",), sent_at=nights(6)[-1]))

    assert [run.status for run in heads(db, job_id)] == [S] * 6


# What must not be lost


def test_deleting_a_job_takes_its_attempts_along(db: Session, job_id: int) -> None:
    ran(db, job_id, 0, F, {"A": F})
    ran(db, job_id, 20, S, {"A": S}, retry=1)

    db.delete(db.get_one(Customer, db.get_one(Job, job_id).customer_id))
    db.flush()

    assert runs_of(db, job_id) == []


def test_a_split_night_waits_for_review_in_both_parts(db: Session, job_id: int, actor: Actor) -> None:
    ran(db, job_id, 0, F, {"A": F})
    review(db, ran(db, job_id, 40, S, {"A": S}), actor)

    ran(db, job_id, 20, S, {"A": S})  # so the later one retried nothing

    first, second = heads(db, job_id)
    assert (first.status, first.recovered_on, first.reviewed_at) == (S, 1, NOW)
    assert (second.run_at, second.status, second.reviewed_at) == (at(40), S, None)


def test_the_slot_shows_the_night(db: Session, job_id: int) -> None:
    slot = make_slot(db, job_id, at(0))
    second = ran(db, job_id, 20, S, {"A": S}, retry=1)
    db.execute(update(JobSlot).values(state=SlotState.ARRIVED, run_id=second.id))

    ran(db, job_id, 0, F, {"A": F})

    db.refresh(slot)
    assert slot.run_id == head(db, job_id).id
