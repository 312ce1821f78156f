"""People correct what was learned: what they decided is in force at once, and learning never takes it back."""

import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from shared.domain.correction import Accept, Correction, Keep, OwnGrace, Reject, Relearn, Sleep, Write
from shared.domain.reading import Kind
from shared.domain.schedule import Cycle, Lane, Schedule, describe
from shared.domain.schedule_json import schedule_from_json, schedule_of
from shared.domain.slot_state import ScheduleMode, SlotState
from shared.domain.watch_version import watch_version
from shared.models.audit import AuditEntry
from shared.models.jobs import Job
from shared.models.schedules import JobSchedule, JobSlot
from shared.services.audit import Actor
from shared.services.edit_schedule import correct_schedule, decline_proposal
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.keep_slots import keep_slots
from shared.services.learn_schedules import learn_schedules
from tests.builders import make_job, make_run, make_user

MONDAY = datetime(2026, 6, 1, 20, tzinfo=UTC)  # 22:00 in Amsterdam
WORKDAYS = range(5)
MON_TO_THU = range(4)


def nights(weeks: int, weekdays: Iterable[int], *, after: int = 0) -> list[datetime]:
    """Return the nights of some weeks, `after` so many weeks."""
    first = MONDAY + timedelta(weeks=after)
    return [first + timedelta(weeks=week, days=day) for week in range(weeks) for day in weekdays]


def without_fridays(weeks: int, *, after: int) -> list[datetime]:
    """Return the nights before Friday, and a run by hand in each weekend."""
    by_hand = [
        MONDAY + timedelta(weeks=after + week, days=5 + week % 2, hours=-10 - 3 * week % 7) for week in range(weeks)
    ]
    return sorted([*nights(weeks, MON_TO_THU, after=after), *by_hand])


def learn(db: Session, job_id: int, moments: Sequence[datetime]) -> datetime:
    """Let the job run at these moments, look after it in the last night and by noon, and return that noon."""
    for moment in moments:
        make_run(db, job_id, run_at=moment)
    night, noon = moments[-1] + timedelta(hours=1), moments[-1] + timedelta(hours=14)
    for now in (night, noon):
        learn_schedules(db, [job_id], now=now)
        keep_slots(db, [job_id], now=now)
    return noon


def known_of(db: Session, job_id: int) -> JobSchedule:
    return db.get_one(JobSchedule, job_id, populate_existing=True)


def runs_of(db: Session, job_id: int) -> str:
    known = known_of(db, job_id)
    return describe(schedule_of(known.lanes, known.confidence))


def to_come(db: Session, job_id: int, now: datetime) -> list[str]:
    """Return when slots are expected, on Amsterdam's clock."""
    local = func.to_char(func.timezone("Europe/Amsterdam", JobSlot.slot_at), "Dy HH24:MI")
    coming = (JobSlot.job_id == job_id, JobSlot.slot_at > now, JobSlot.state == SlotState.EXPECTED)
    return list(db.scalars(select(local).where(*coming).order_by(JobSlot.slot_at)))


def acts(db: Session) -> list[str]:
    return list(db.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def at(minute: float, weekdays: Iterable[int] = range(7), *, grace: int = 60) -> Schedule:
    lane = Lane(rule=Cycle(1, frozenset(weekdays)), minute=minute, grace=grace)
    return Schedule(lanes=(lane,), confidence=1.0)


def correct(db: Session, job_id: int, correction: Correction, actor: Actor, now: datetime) -> None:
    version = watch_version(db.get(JobSchedule, job_id))
    correct_schedule(db, job_id, correction, version=version, actor=actor, now=now)


@pytest.fixture
def actor(db: Session) -> Actor:
    return make_user(db, "an operator")


@pytest.fixture
def job_id(db: Session) -> int:
    return make_job(db)


@pytest.fixture
def proposed(db: Session, job_id: int) -> datetime:
    """The job ran from Monday to Friday, and for ten weeks now only by hand after Thursday; return the time."""
    now = learn(db, job_id, sorted([*nights(6, WORKDAYS), *without_fridays(10, after=6)]))
    proposal = known_of(db, job_id).proposal
    assert runs_of(db, job_id) == "Mon–Fri at 22:00"
    assert proposal is not None
    assert describe(schedule_from_json(proposal)) == "Mon–Thu at 22:00"
    return now


def test_an_accepted_proposal_is_in_force(db: Session, job_id: int, actor: Actor, proposed: datetime) -> None:
    correct(db, job_id, Accept(), actor, proposed)

    known = known_of(db, job_id)
    assert (known.mode, known.proposal, known.decided_by) == (ScheduleMode.LEARNED, None, None)
    assert runs_of(db, job_id) == "Mon–Thu at 22:00"
    assert acts(db) == ["schedule.accepted"]


def test_what_was_given_up_does_not_come_back_by_learning(
    db: Session, job_id: int, actor: Actor, proposed: datetime
) -> None:
    correct(db, job_id, Accept(), actor, proposed)

    for week in range(16, 22):
        learn(db, job_id, without_fridays(1, after=week))

    assert runs_of(db, job_id) == "Mon–Thu at 22:00"
    assert known_of(db, job_id).proposal is None


def test_a_day_that_was_given_up_is_learned_again_when_the_job_runs_on_it(
    db: Session, job_id: int, actor: Actor, proposed: datetime
) -> None:
    correct(db, job_id, Accept(), actor, proposed)

    learn(db, job_id, nights(5, WORKDAYS, after=16))

    assert runs_of(db, job_id) == "Mon–Fri at 22:00"


def test_a_declined_proposal_is_not_made_again(db: Session, job_id: int, actor: Actor, proposed: datetime) -> None:
    version = watch_version(known_of(db, job_id))
    decline_proposal(db, job_id, version=version, actor=actor, now=proposed)

    learn(db, job_id, without_fridays(6, after=16))

    known = known_of(db, job_id)
    assert (known.mode, known.proposal, runs_of(db, job_id)) == (ScheduleMode.LEARNED, None, "Mon–Fri at 22:00")
    assert acts(db) == ["schedule.declined"]


def test_what_is_not_proposed_can_be_neither_accepted_nor_declined(db: Session, job_id: int, actor: Actor) -> None:
    now = learn(db, job_id, nights(4, WORKDAYS))
    version = watch_version(known_of(db, job_id))

    with pytest.raises(Conflict, match="Nothing is proposed"):
        correct(db, job_id, Accept(), actor, now)
    with pytest.raises(Conflict, match="Nothing is proposed"):
        decline_proposal(db, job_id, version=version, actor=actor, now=now)


def test_a_written_schedule_is_in_force_from_the_next_day_on(db: Session, job_id: int, actor: Actor) -> None:
    now = learn(db, job_id, nights(4, range(7)))
    assert to_come(db, job_id, now) == ["Mon 22:00", "Tue 22:00", "Wed 22:00", "Thu 22:00"]

    correct(db, job_id, Write(at(1200)), actor, now)

    assert to_come(db, job_id, now) == ["Mon 22:00", "Tue 20:00", "Wed 20:00", "Thu 20:00"]
    known = known_of(db, job_id)
    assert (known.mode, known.decided_by, known.decided_at) == (ScheduleMode.PINNED, actor.user_id, now)
    assert known.silence_minutes is None


def test_what_is_pinned_is_never_replaced_by_learning(db: Session, job_id: int, actor: Actor) -> None:
    now = learn(db, job_id, nights(4, MON_TO_THU))
    correct(db, job_id, Keep(), actor, now)

    learn(db, job_id, nights(8, range(7), after=4))

    assert runs_of(db, job_id) == "Mon–Thu at 22:00"
    assert known_of(db, job_id).proposal is None


def test_a_schedule_that_is_written_twice_is_the_last_ones_decision(db: Session, job_id: int, actor: Actor) -> None:
    now = learn(db, job_id, nights(4, range(7)))
    correct(db, job_id, Write(at(1200)), actor, now)
    other, later = make_user(db), now + timedelta(hours=1)

    correct(db, job_id, Write(at(1230)), other, later)
    correct(db, job_id, OwnGrace(30), actor, later + timedelta(hours=1))

    known = known_of(db, job_id)
    assert (known.decided_by, known.decided_at, known.grace_minutes) == (other.user_id, later, 30)


def test_a_rejected_schedule_leaves_the_maximum_silence(db: Session, job_id: int, actor: Actor) -> None:
    now = learn(db, job_id, nights(4, range(7)))

    correct(db, job_id, Reject(), actor, now)
    learn(db, job_id, nights(3, range(7), after=4))

    known = known_of(db, job_id)
    assert (known.mode, known.lanes, known.silence_minutes) == (ScheduleMode.REJECTED, [], 3 * 1440)
    silence = db.scalars(select(JobSlot.slot_at).where(JobSlot.job_id == job_id, JobSlot.is_silence)).one()
    assert silence == MONDAY + timedelta(days=6 * 7 + 6 + 3)


def test_a_job_that_nobody_looked_at_can_be_rejected_without_a_past(db: Session, job_id: int, actor: Actor) -> None:
    for night in nights(4, range(7)):
        make_run(db, job_id, run_at=night)

    correct(db, job_id, Reject(), actor, MONDAY + timedelta(days=40))

    assert list(db.scalars(select(JobSlot.is_silence))) == [True]


def test_back_to_learned_forgets_the_decision(db: Session, job_id: int, actor: Actor, proposed: datetime) -> None:
    correct(db, job_id, Write(at(600, [2])), actor, proposed)

    correct(db, job_id, Relearn(), actor, proposed)

    known = known_of(db, job_id)
    assert (known.mode, known.decided_at, known.declined) == (ScheduleMode.LEARNED, None, None)
    assert runs_of(db, job_id) == "Mon–Fri at 22:00"
    assert to_come(db, job_id, proposed) == ["Mon 22:00", "Tue 22:00", "Wed 22:00"]


@pytest.mark.parametrize("asked, applied", [(30, 30), (700, 360), (None, 60)])
def test_own_grace_is_at_most_half_the_way_to_the_next_run(
    db: Session, job_id: int, actor: Actor, asked: int | None, applied: int
) -> None:
    twice = sorted(night + timedelta(hours=hours) for night in nights(4, range(7)) for hours in (0, 12))
    now = learn(db, job_id, twice)

    correct(db, job_id, OwnGrace(asked), actor, now)

    last = db.scalars(select(JobSlot).where(JobSlot.job_id == job_id).order_by(JobSlot.slot_at.desc())).first()
    assert last is not None
    assert last.deadline - last.slot_at == timedelta(minutes=applied)


@pytest.mark.parametrize("minutes", [0, -1, 721, 10**12])
def test_a_grace_that_is_none_is_refused(db: Session, job_id: int, actor: Actor, minutes: int) -> None:
    now = learn(db, job_id, nights(4, range(7)))

    with pytest.raises(BadInput, match="from 1 to 720"):
        correct(db, job_id, OwnGrace(minutes), actor, now)


def test_a_device_that_sleeps_has_no_slots_until_it_wakes(db: Session, job_id: int, actor: Actor) -> None:
    now = learn(db, job_id, nights(4, range(7)))

    correct(db, job_id, Sleep(sleeps=True), actor, now)
    asleep = to_come(db, job_id, now)
    correct(db, job_id, Sleep(sleeps=False), actor, now)

    assert asleep == ["Mon 22:00"]  # a day that has begun keeps its own
    assert to_come(db, job_id, now) == ["Mon 22:00", "Tue 22:00", "Wed 22:00", "Thu 22:00"]


def test_the_slower_of_two_people_is_told(db: Session, job_id: int, actor: Actor) -> None:
    now = learn(db, job_id, nights(4, range(7)))
    seen = watch_version(known_of(db, job_id))
    correct_schedule(db, job_id, Write(at(1200)), version=seen, actor=actor, now=now)

    with pytest.raises(Conflict, match="changed in the meantime"):
        correct_schedule(db, job_id, Write(at(600)), version=seen, actor=make_user(db), now=now)

    assert runs_of(db, job_id) == "daily at 20:00"


def test_a_lane_that_follows_its_runs_makes_no_page_too_old(db: Session, job_id: int, actor: Actor) -> None:
    now = learn(db, job_id, nights(4, range(7)))
    seen = watch_version(known_of(db, job_id))
    drifted = [night + timedelta(minutes=20) for night in nights(2, range(7), after=4)]
    later = learn(db, job_id, drifted)

    correct_schedule(db, job_id, Keep(), version=seen, actor=actor, now=later)

    assert known_of(db, job_id).mode is ScheduleMode.PINNED
    assert now < later


@pytest.mark.parametrize("kind", [Kind.INFORMATIONAL, Kind.ALERT_ONLY])
def test_what_is_not_watched_by_time_has_no_schedule(db: Session, actor: Actor, kind: Kind) -> None:
    with pytest.raises(Conflict, match="isn't watched by time"):
        correct(db, make_job(db, kind=kind), Write(at(600)), actor, MONDAY)


def test_an_archived_job_is_left_alone(db: Session, job_id: int, actor: Actor) -> None:
    job = db.get_one(Job, job_id)
    job.archived_at, job.archived_by = MONDAY, actor.user_id
    db.flush()

    with pytest.raises(Conflict, match="archived"):
        correct(db, job_id, Write(at(600)), actor, MONDAY)


def test_a_job_that_is_gone_is_not_found(db: Session, actor: Actor) -> None:
    with pytest.raises(NotFound):
        correct(db, 4711, Reject(), actor, MONDAY)


def test_the_audit_log_tells_what_was_and_what_is(db: Session, job_id: int, actor: Actor) -> None:
    now = learn(db, job_id, nights(4, range(7)))

    correct(db, job_id, Write(at(1200)), actor, now)

    (entry,) = db.scalars(select(AuditEntry))
    assert (entry.action, entry.user_id, entry.subject_id) == ("schedule.pinned", actor.user_id, job_id)
    assert entry.before is not None
    assert entry.after is not None
    assert (entry.before["runs"], entry.after["runs"]) == ("daily at 22:00", "daily at 20:00")


def test_learning_that_began_before_a_decision_does_not_overwrite_it(committed_db: Session) -> None:
    """The learner read the schedule as it was, and comes to write when somebody has pinned another."""
    db = committed_db
    job_id, actor = make_job(db), make_user(db)
    now = learn(db, job_id, nights(4, range(7)))
    db.commit()
    correct(db, job_id, Write(at(1200)), actor, now)
    learner = Session(db.get_bind())
    thread = threading.Thread(target=_learn_and_commit, args=(learner, job_id, now))

    thread.start()
    _wait_until_blocked(db)
    db.commit()
    thread.join(20)

    assert (known_of(db, job_id).mode, runs_of(db, job_id)) == (ScheduleMode.PINNED, "daily at 20:00")


def _learn_and_commit(session: Session, job_id: int, now: datetime) -> None:
    with session:
        learn_schedules(session, [job_id], now=now)
        session.commit()


def _wait_until_blocked(db: Session) -> None:
    blocked = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    pause = threading.Event()
    for _ in range(2000):
        db.execute(text("SELECT pg_stat_clear_snapshot()"))  # else a transaction sees what it saw first
        if db.scalar(blocked):
            return
        pause.wait(0.01)
    raise AssertionError("the learner waits for nobody")
