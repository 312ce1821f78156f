"""A paused job misses nothing, and resumes by itself."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.mailflow import Source
from shared.domain.slot_state import SlotState
from shared.domain.watch_version import watch_version
from shared.models.audit import AuditEntry
from shared.models.schedules import JobSchedule, JobSlot
from shared.models.system import ImportCycle
from shared.services.audit import Actor
from shared.services.errors import BadInput, Conflict
from shared.services.judge_slots import judge_slots
from shared.services.keep_slots import keep_slots
from shared.services.learn_schedules import learn_schedules
from shared.services.pause_job import LONGEST, pause_job, resume_job
from tests.builders import make_job, make_run, make_user

FIRST = datetime(2026, 6, 1, 20, tzinfo=UTC)  # Monday, 22:00 in Amsterdam
NIGHTS = 21
NOON = FIRST + timedelta(days=NIGHTS - 1, hours=14)  # Monday the 22nd
TODAY = date(2026, 6, 22)


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db)


@pytest.fixture
def job_id(db: Session) -> Iterator[int]:
    """A job that runs each night at ten, and was looked after in the last one."""
    job_id = make_job(db)
    for night in range(NIGHTS):
        make_run(db, job_id, run_at=FIRST + timedelta(days=night))
    look_after(db, job_id, NOON - timedelta(hours=13))
    return job_id


def look_after(db: Session, job_id: int, now: datetime) -> None:
    """Do what the timer does, with all mails in."""
    db.add(ImportCycle(source=Source.FOLDER, trigger="timer", started_at=now, finished_at=now, complete=True))
    db.flush()
    learn_schedules(db, [job_id], now=now)
    keep_slots(db, [job_id], now=now)
    judge_slots(db, [job_id], now=now)
    db.expire_all()


def pause(db: Session, job_id: int, days: int, actor: Actor, *, now: datetime = NOON, reason: str = "moving") -> None:
    resumes_on = now.date() + timedelta(days=days)
    version = watch_version(db.get(JobSchedule, job_id, populate_existing=True))
    pause_job(db, job_id, resumes_on=resumes_on, reason=reason, version=version, actor=actor, now=now)


def slots(db: Session, job_id: int, *, since: date = TODAY) -> list[tuple[int, SlotState, str]]:
    """Return the slots from a day on: its number after that, the state and why."""
    query = select(JobSlot).where(JobSlot.job_id == job_id, JobSlot.day >= since).order_by(JobSlot.slot_at)
    found = db.scalars(query.execution_options(populate_existing=True))
    return [((slot.day - since).days, slot.state, slot.why) for slot in found]


SKIPPED, EXPECTED, MISSED = SlotState.SKIPPED, SlotState.EXPECTED, SlotState.MISSED


def test_a_pause_skips_the_slots_until_its_day_and_says_why(db: Session, job_id: int, actor: Actor) -> None:
    pause(db, job_id, 2, actor)

    assert slots(db, job_id) == [
        (0, SKIPPED, "paused: moving"),
        (1, SKIPPED, "paused: moving"),
        (2, EXPECTED, ""),
        (3, EXPECTED, ""),
    ]


def test_it_resumes_by_itself_and_what_was_skipped_stays_so(db: Session, job_id: int, actor: Actor) -> None:
    pause(db, job_id, 2, actor)

    look_after(db, job_id, NOON + timedelta(days=3))

    assert [state for _, state, _ in slots(db, job_id)][:4] == [SKIPPED, SKIPPED, MISSED, EXPECTED]


def test_resuming_brings_back_the_slots_to_come(db: Session, job_id: int, actor: Actor) -> None:
    pause(db, job_id, 20, actor)
    tomorrow = NOON + timedelta(days=1)
    look_after(db, job_id, tomorrow)

    resume_job(db, job_id, actor=actor, now=tomorrow)

    assert [state for _, state, _ in slots(db, job_id)] == [SKIPPED, *[EXPECTED] * 4]
    look_after(db, job_id, tomorrow + timedelta(days=1))
    assert [state for _, state, _ in slots(db, job_id)][:2] == [SKIPPED, MISSED]


def test_a_slot_whose_grace_runs_when_the_job_resumes_is_not_missed(db: Session, job_id: int, actor: Actor) -> None:
    pause(db, job_id, 20, actor)
    night = NOON + timedelta(hours=10, minutes=15)

    resume_job(db, job_id, actor=actor, now=night)
    look_after(db, job_id, night + timedelta(hours=5))

    assert slots(db, job_id)[0][1] is SKIPPED


def test_a_pause_can_be_made_longer_again_and_again(db: Session, job_id: int, actor: Actor) -> None:
    pause(db, job_id, 2, actor)
    for days in (1, 20, 40):
        later = NOON + timedelta(days=days)
        look_after(db, job_id, later)
        pause(db, job_id, LONGEST, actor, now=later, reason="still moving")

    look_after(db, job_id, NOON + timedelta(days=60))

    assert {state for _, state, _ in slots(db, job_id) if state is not SKIPPED} == set()


def test_a_pause_can_be_made_shorter(db: Session, job_id: int, actor: Actor) -> None:
    pause(db, job_id, 20, actor)

    pause(db, job_id, 1, actor)

    assert [state for _, state, _ in slots(db, job_id)] == [SKIPPED, EXPECTED, EXPECTED, EXPECTED]


@pytest.mark.parametrize("days", [-1, 0, LONGEST + 1])
def test_a_pause_has_an_end_within_thirty_days(db: Session, job_id: int, actor: Actor, days: int) -> None:
    with pytest.raises(BadInput, match="from tomorrow to 30 days") as caught:
        pause(db, job_id, days, actor)

    assert caught.value.field == "resumes_on"


@pytest.mark.parametrize("reason", ["", "   ", "x" * 201, "nul\x00"])
def test_a_pause_has_a_reason(db: Session, job_id: int, actor: Actor, reason: str) -> None:
    with pytest.raises(BadInput, match="Say why") as caught:
        pause(db, job_id, 3, actor, reason=reason)

    assert caught.value.field == "reason"


@pytest.mark.parametrize("begins", [datetime(2026, 3, 1, 0, 5, tzinfo=UTC), datetime(2026, 10, 1, 22, 30, tzinfo=UTC)])
def test_the_longest_pause_may_span_a_change_of_the_clock(db: Session, actor: Actor, begins: datetime) -> None:
    job_id = make_job(db)
    local = begins + timedelta(hours=2)

    for _ in range(2):
        version = watch_version(db.get(JobSchedule, job_id))
        resumes_on = local.date() + timedelta(days=LONGEST)
        pause_job(db, job_id, resumes_on=resumes_on, reason="moving", version=version, actor=actor, now=begins)
        db.flush()


def test_a_job_that_nobody_looked_at_can_be_paused_and_is_learned_all_the_same(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    pause(db, job_id, 3, actor)
    for night in range(NIGHTS):
        make_run(db, job_id, run_at=FIRST + timedelta(days=night))

    look_after(db, job_id, NOON)

    assert [state for _, state, _ in slots(db, job_id, since=TODAY + timedelta(days=1))] == [SKIPPED, SKIPPED, EXPECTED]


def test_the_silence_of_a_paused_job_ends_after_its_pause(db: Session, actor: Actor) -> None:
    job_id = make_job(db)
    make_run(db, job_id, run_at=FIRST)
    look_after(db, job_id, FIRST + timedelta(days=1))

    pause(db, job_id, 20, actor, now=FIRST + timedelta(days=1))

    (silence,) = db.scalars(select(JobSlot.deadline).where(JobSlot.job_id == job_id))
    assert silence == datetime(2026, 6, 21, 22, tzinfo=UTC)


def test_only_a_paused_job_resumes(db: Session, job_id: int, actor: Actor) -> None:
    with pytest.raises(Conflict, match="isn't paused"):
        resume_job(db, job_id, actor=actor, now=NOON)

    pause(db, job_id, 2, actor)
    with pytest.raises(Conflict, match="isn't paused"):
        resume_job(db, job_id, actor=actor, now=NOON + timedelta(days=5))


def test_the_slower_of_two_people_is_told(db: Session, job_id: int, actor: Actor) -> None:
    seen = watch_version(db.get(JobSchedule, job_id))
    pause(db, job_id, 3, actor)

    with pytest.raises(Conflict, match="in the meantime"):
        pause_job(db, job_id, resumes_on=TODAY + timedelta(days=9), reason="x", version=seen, actor=actor, now=NOON)


def test_the_audit_log_tells_of_pauses(db: Session, job_id: int, actor: Actor) -> None:
    pause(db, job_id, 3, actor)
    resume_job(db, job_id, actor=actor, now=NOON + timedelta(hours=1))

    entries = list(db.scalars(select(AuditEntry).order_by(AuditEntry.id)))
    assert [entry.action for entry in entries] == ["job.paused", "job.resumed"]
    assert (entries[0].after or {})["reason"] == "moving"
