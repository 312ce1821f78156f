"""When a whole sender, or a whole customer, falls silent, that is one item; each job keeps its missed runs."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from random import Random

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from shared.db.session import transaction
from shared.domain.run import RunSource
from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.jobs import Job, JobRun
from shared.models.schedules import JobSchedule, JobSlot, SilentSource
from shared.queries.silent_sources import open_silences
from shared.services.group_silence import group_silences
from shared.services.record_run import record_missed_run
from shared.services.review_runs import review_runs
from tests.builders import make_customer, make_job, make_run, make_user
from tests.slot_builders import AMSTERDAM, make_schedule, make_slot

DAY = date(2026, 6, 2)
MORNING = datetime(2026, 6, 3, 5, tzinfo=UTC)  # 07:00 in Amsterdam, the morning after
RELAY = "backup@relay.example"
CAME, MISSED, SKIPPED, HELD = SlotState.ARRIVED, SlotState.MISSED, SlotState.SKIPPED, SlotState.NOT_JUDGED


def expected_job(db: Session, *, customer_id: int | None = None, sender: str = RELAY) -> int:
    """Return a job that is expected every night; without a customer it has one of its own."""
    count = db.scalar(select(func.count()).select_from(Job))
    job_id = make_job(db, f"Job {count}", customer_id=customer_id, sender=sender)
    make_schedule(db, job_id, 22)
    return job_id


def expected_jobs(db: Session, number: int, *, customer_id: int | None = None, sender: str = RELAY) -> list[int]:
    return [expected_job(db, customer_id=customer_id, sender=sender) for _ in range(number)]


def judged(db: Session, job_id: int, state: SlotState, *, day: date = DAY, hour: float = 22) -> None:
    """Let a slot of the job have been judged; a missed one has its run, as judging makes it."""
    slot = make_slot(db, job_id, day, hour, state=state)
    if state is MISSED:
        slot.run_id = record_missed_run(db, job_id, slot_at=slot.slot_at, message="no report came")
    db.flush()


def all_judged(db: Session, job_ids: Sequence[int], state: SlotState, *, day: date = DAY, hour: float = 22) -> None:
    for job_id in job_ids:
        judged(db, job_id, state, day=day, hour=hour)


def silences(db: Session) -> list[SilentSource]:
    query = select(SilentSource).order_by(SilentSource.id)
    return list(db.scalars(query.execution_options(populate_existing=True)))


def grouped(db: Session, silence: SilentSource) -> list[int]:
    """Return the jobs of the silence's runs, one for each run."""
    return list(db.scalars(select(JobRun.job_id).where(JobRun.silence_id == silence.id).order_by(JobRun.job_id)))


def at(day: date, hour: int) -> datetime:
    return datetime(day.year, day.month, day.day, hour, tzinfo=AMSTERDAM)


def test_five_of_six_jobs_of_a_sender_are_a_silence(db: Session) -> None:
    jobs = expected_jobs(db, 6)
    all_judged(db, jobs[:5], MISSED)
    judged(db, jobs[5], CAME)

    group_silences(db, now=MORNING)

    (silence,) = silences(db)
    assert (silence.from_address, silence.customer_id, silence.ended_at) == (RELAY, None, None)
    assert (silence.began_at, silence.last_at) == (at(DAY, 22), at(DAY, 22))
    assert grouped(db, silence) == jobs[:5]


def test_each_job_keeps_one_missed_run_a_slot(db: Session) -> None:
    jobs = expected_jobs(db, 5)
    all_judged(db, jobs, MISSED)

    group_silences(db, now=MORNING)

    runs = db.scalars(select(JobRun.job_id).where(JobRun.source == RunSource.MISSED).order_by(JobRun.job_id)).all()
    assert list(runs) == jobs


def test_four_jobs_are_no_group_even_if_they_are_all_there_are(db: Session) -> None:
    all_judged(db, expected_jobs(db, 4, customer_id=make_customer(db)), MISSED)

    assert group_silences(db, now=MORNING) == 0
    assert silences(db) == []


def test_a_sender_of_which_more_than_a_fifth_arrived_is_not_silent(db: Session) -> None:
    jobs = expected_jobs(db, 10)
    all_judged(db, jobs[:7], MISSED)
    all_judged(db, jobs[7:], CAME)

    group_silences(db, now=MORNING)

    assert silences(db) == []


def test_what_cannot_be_judged_yet_is_no_silence(db: Session) -> None:
    jobs = expected_jobs(db, 10)
    all_judged(db, jobs[:7], MISSED)
    all_judged(db, jobs[7:], HELD)

    group_silences(db, now=MORNING)

    assert silences(db) == []


def test_closed_and_paused_jobs_are_not_asked(db: Session) -> None:
    jobs = expected_jobs(db, 10)
    all_judged(db, jobs[:5], MISSED)
    all_judged(db, jobs[5:], SKIPPED)

    group_silences(db, now=MORNING)

    assert grouped(db, *silences(db)) == jobs[:5]


def test_jobs_that_stopped_are_items_of_their_own_and_prove_nothing(db: Session) -> None:
    jobs = expected_jobs(db, 6)
    all_judged(db, jobs, MISSED)
    stopped = update(JobSchedule).where(JobSchedule.job_id.in_(jobs[:2]))
    db.execute(stopped.values(stopped_at=MORNING - timedelta(days=1)))

    group_silences(db, now=MORNING)

    assert silences(db) == []


def test_maximum_silences_that_ran_out_prove_nothing(db: Session) -> None:
    jobs = expected_jobs(db, 5)
    for job_id in jobs:
        make_slot(db, job_id, DAY, state=MISSED, is_silence=True)

    group_silences(db, now=MORNING)

    assert silences(db) == []


def test_a_job_that_runs_every_hour_counts_once(db: Session) -> None:
    jobs = expected_jobs(db, 6)
    for hour in range(10, 30):
        judged(db, jobs[0], CAME, hour=hour)
    all_judged(db, jobs[1:], MISSED)

    group_silences(db, now=MORNING)

    assert grouped(db, *silences(db)) == jobs[1:]


def test_a_silence_began_with_the_first_slot_after_the_last_arrivals(db: Session) -> None:
    jobs = expected_jobs(db, 5)
    for job_id in jobs:
        judged(db, job_id, MISSED, hour=12)
        judged(db, job_id, CAME, hour=14)
        judged(db, job_id, MISSED, hour=16)
        judged(db, job_id, MISSED, hour=18)

    group_silences(db, now=MORNING)

    (silence,) = silences(db)
    assert (silence.began_at, silence.last_at) == (at(DAY, 16), at(DAY, 18))
    assert grouped(db, silence) == sorted(jobs * 2)


def test_a_silent_customer_is_found_whatever_the_senders(db: Session) -> None:
    customer_id = make_customer(db)
    jobs = [expected_job(db, customer_id=customer_id, sender=f"nas{each}@customer.example") for each in range(5)]
    all_judged(db, jobs, MISSED)
    all_judged(db, expected_jobs(db, 5), CAME)

    group_silences(db, now=MORNING)

    (silence,) = silences(db)
    assert (silence.from_address, silence.customer_id) == (None, customer_id)
    assert grouped(db, silence) == jobs


def test_of_a_customer_and_his_only_sender_the_customer_is_named(db: Session) -> None:
    all_judged(db, expected_jobs(db, 5, customer_id=make_customer(db)), MISSED)

    group_silences(db, now=MORNING)

    assert [silence.from_address for silence in silences(db)] == [None]


def test_a_sender_that_explains_more_jobs_is_named_instead_of_its_customers(db: Session) -> None:
    jobs = expected_jobs(db, 6, customer_id=make_customer(db)) + expected_jobs(db, 6, customer_id=make_customer(db))
    all_judged(db, jobs, MISSED)

    group_silences(db, now=MORNING)

    (silence,) = silences(db)
    assert silence.from_address == RELAY
    assert grouped(db, silence) == jobs


def test_customers_that_fell_silent_first_become_part_of_their_sender(db: Session) -> None:
    early = expected_jobs(db, 6, customer_id=make_customer(db))
    late = expected_jobs(db, 9, customer_id=make_customer(db))
    all_judged(db, late, CAME, day=DAY - timedelta(days=1), hour=25)
    all_judged(db, early, MISSED, hour=19)
    group_silences(db, now=at(DAY, 21))
    first = [silence.from_address for silence in silences(db)]
    all_judged(db, late, MISSED, hour=25)

    group_silences(db, now=MORNING)

    customer, sender = silences(db)
    assert first == [None]
    assert customer.ended_at == MORNING
    assert (sender.from_address, sender.ended_at) == (RELAY, None)
    assert (grouped(db, customer), grouped(db, sender)) == ([], early + late)


def test_it_goes_on_while_nothing_arrives(db: Session) -> None:
    jobs = expected_jobs(db, 5)
    all_judged(db, jobs, MISSED)
    group_silences(db, now=MORNING)
    all_judged(db, jobs, MISSED, day=DAY + timedelta(days=1))

    group_silences(db, now=MORNING + timedelta(days=1))

    (silence,) = silences(db)
    assert (silence.began_at, silence.last_at) == (at(DAY, 22), at(DAY + timedelta(days=1), 22))
    assert grouped(db, silence) == sorted(jobs * 2)


def test_days_on_which_nothing_is_expected_do_not_end_it(db: Session) -> None:
    all_judged(db, expected_jobs(db, 5), MISSED)
    group_silences(db, now=MORNING)

    group_silences(db, now=MORNING + timedelta(days=6))
    after_a_week = [silence.ended_at for silence in silences(db)]
    group_silences(db, now=MORNING + timedelta(days=20))

    assert after_a_week == [None]
    assert [silence.ended_at for silence in silences(db)] == [MORNING + timedelta(days=20)]


def test_it_is_over_when_runs_arrive_again_and_its_runs_stay_one_item(db: Session) -> None:
    jobs = expected_jobs(db, 5)
    all_judged(db, jobs, MISSED)
    group_silences(db, now=MORNING)
    next_day = DAY + timedelta(days=1)
    all_judged(db, jobs[:2], CAME, day=next_day)
    all_judged(db, jobs[2:], MISSED, day=next_day)

    group_silences(db, now=MORNING + timedelta(days=1))

    (silence,) = silences(db)
    assert silence.ended_at == MORNING + timedelta(days=1)
    assert grouped(db, silence) == jobs


def test_the_next_silence_of_a_source_is_another_one(db: Session) -> None:
    jobs = expected_jobs(db, 5)
    for number, state in enumerate((MISSED, CAME, MISSED)):
        all_judged(db, jobs, state, day=DAY + timedelta(days=number))
        group_silences(db, now=MORNING + timedelta(days=number))

    first, second = silences(db)
    assert (first.ended_at is None, second.ended_at is None) == (False, True)
    assert (grouped(db, first), grouped(db, second)) == (jobs, jobs)


def test_at_just_four_of_five_it_neither_flaps_nor_ends(db: Session) -> None:
    jobs = expected_jobs(db, 10)
    all_judged(db, jobs[:8], MISSED)
    all_judged(db, jobs[8:], CAME)

    changes = [group_silences(db, now=MORNING + timedelta(minutes=minutes)) for minutes in (0, 10, 20)]

    assert changes == [1 + 8, 0, 0]


def test_a_run_that_was_reviewed_before_stays_as_it_is(db: Session) -> None:
    jobs = expected_jobs(db, 6)
    all_judged(db, jobs, MISSED)
    run = db.scalars(select(JobRun).where(JobRun.job_id == jobs[0])).one()
    review_runs(db, [(run.id, run.verdict_version)], actor=make_user(db), now=MORNING, reason="Known.")

    group_silences(db, now=MORNING)

    assert grouped(db, *silences(db)) == jobs[1:]


def test_the_mail_that_comes_after_all_leaves_the_group(db: Session) -> None:
    jobs = expected_jobs(db, 6)
    all_judged(db, jobs, MISSED)
    group_silences(db, now=MORNING)

    run = make_run(db, jobs[0], status=Status.FAILED, run_at=MORNING)
    group_silences(db, now=MORNING + timedelta(minutes=10))

    db.refresh(run)
    assert (run.source, run.silence_id) == (RunSource.MAIL, None)
    assert grouped(db, *silences(db)) == jobs[1:]


def test_what_nobody_watches_proves_nothing(db: Session) -> None:
    inactive = expected_jobs(db, 5, customer_id=make_customer(db, active=False))
    archived = expected_jobs(db, 5, customer_id=make_customer(db))
    gone = {"archived_at": MORNING, "archived_by": make_user(db).person_id}
    all_judged(db, inactive + archived, MISSED)
    db.execute(update(Job).where(Job.id.in_(archived)).values(gone))

    group_silences(db, now=MORNING)

    assert silences(db) == []


def test_those_that_go_on_are_listed_with_their_jobs(db: Session) -> None:
    jobs = expected_jobs(db, 5)
    customer_id = make_customer(db, "Quiet Ltd")
    quiet = [expected_job(db, customer_id=customer_id, sender=f"nas{each}@quiet.example") for each in range(6)]
    all_judged(db, jobs, MISSED)
    all_judged(db, quiet, MISSED, hour=20)
    group_silences(db, now=MORNING)

    shown = [(each.customer, each.from_address, each.jobs, each.since) for each in open_silences(db)]

    assert shown == [("Quiet Ltd", None, 6, at(DAY, 20)), (None, RELAY, 5, at(DAY, 22))]


@pytest.mark.parametrize("seed", range(8))
def test_whatever_happened_a_second_look_changes_nothing(db: Session, seed: int) -> None:
    chance = Random(seed)
    senders = [f"backup{number}@relay.example" for number in range(3)]
    customers = [make_customer(db) for _ in range(4)]
    jobs = [expected_job(db, customer_id=chance.choice(customers), sender=chance.choice(senders)) for _ in range(40)]
    for number in range(4):
        day, now = DAY + timedelta(days=number), MORNING + timedelta(days=number)
        bad = chance.choice((0.1, 0.85, 1.0))
        for job_id in jobs:
            judged(db, job_id, MISSED if chance.random() < bad else CAME, day=day, hour=chance.choice((19, 22)))

        group_silences(db, now=now)

        assert group_silences(db, now=now) == 0
        assert group_silences(db, now=now + timedelta(minutes=10)) == 0
    missed_slots = db.scalar(select(func.count()).where(JobSlot.state == MISSED))
    assert db.scalar(select(func.count()).where(JobRun.source == RunSource.MISSED)) == missed_slots


def test_looking_in_parallel_makes_one_silence(committed_db: Session) -> None:
    all_judged(committed_db, expected_jobs(committed_db, 30), MISSED)
    committed_db.commit()

    def look(_: int) -> int:
        with transaction() as db:
            return group_silences(db, now=MORNING)

    with ThreadPoolExecutor(4) as threads:
        changes = list(threads.map(look, range(8)))

    assert sorted(changes) == [0] * 7 + [31]
    assert len(silences(committed_db)) == 1
