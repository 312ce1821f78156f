"""What holds whatever the order of mails and ticks, and through an outage of our own."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from itertools import count

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from shared.db.base import table_of
from shared.domain.run import MatchedBy, RunSource
from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.jobs import JobRun
from shared.models.schedules import JobSlot
from shared.models.system import ImportCycle
from tests.builders import make_job, make_run
from tests.services.watched_jobs_world import FIRST, covered, look_after_all, missed, nights, ran, states, tick

LEARNED = 10  # nights
HOURS = st.sampled_from([None, -2.0, -0.1, 0.0, 0.2, 3.0, 9.0, 20.0])  # after the slot; None never comes
DONE = FIRST + timedelta(days=LEARNED + 5)

_examples = count(1)


def learned_job(db: Session, name: str) -> int:
    job_id = make_job(db, name)
    ran(db, job_id, nights(LEARNED))
    tick(db, FIRST + timedelta(days=LEARNED - 1, hours=1))
    return job_id


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(late=st.lists(HOURS, min_size=4, max_size=4), order=st.permutations(range(4)), first_missed=st.booleans())
def test_the_order_in_which_mails_arrive_changes_no_verdict(
    committed_db: Session, late: Sequence[float | None], order: Sequence[int], *, first_missed: bool
) -> None:
    moments = [
        FIRST + timedelta(days=LEARNED + night, hours=hours) for night, hours in enumerate(late) if hours is not None
    ]
    committed_db.execute(delete(ImportCycle))  # the examples share a database
    of_job = {}
    for name, arrivals in (("in order", sorted(moments)), ("mixed", _in_order(moments, order))):
        job_id = learned_job(committed_db, f"{name} {next(_examples)}")
        if first_missed:
            covered(committed_db, DONE)
        tick(committed_db, DONE)
        for moment in arrivals:
            ran(committed_db, job_id, [moment])
            tick(committed_db, DONE)
        covered(committed_db, DONE)
        tick(committed_db, DONE)
        committed_db.execute(delete(ImportCycle))
        of_job[name] = (states(committed_db, job_id), missed(committed_db, job_id))

    assert of_job["in order"] == of_job["mixed"]


def _in_order(moments: Sequence[datetime], order: Sequence[int]) -> list[datetime]:
    return [moments[place] for place in order if place < len(moments)]


def test_a_day_of_outage_of_ours_misses_nothing_and_afterwards_just_what_never_came(committed_db: Session) -> None:
    jobs = [make_job(committed_db, f"Job {number}") for number in range(500)]
    times = {job_id: FIRST + timedelta(minutes=2 * place) for place, job_id in enumerate(jobs)}
    _ran_every_night(committed_db, times, number=8)
    outage = FIRST + timedelta(days=8)
    covered(committed_db, outage - timedelta(hours=1))
    tick(committed_db, outage - timedelta(hours=1))

    during = []
    for hours in range(0, 24, 4):
        tick(committed_db, outage + timedelta(hours=hours))
        during.append(_missed_runs(committed_db))
    not_judged = committed_db.scalar(select(func.count()).where(JobSlot.state == SlotState.NOT_JUDGED))
    gone = set(jobs[::29])
    for job_id, first in times.items():
        if job_id not in gone:
            make_run(committed_db, job_id, run_at=first + timedelta(days=8, minutes=1))
    over = outage + timedelta(hours=24)
    covered(committed_db, over)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: look_after_all(over), range(3)))

    assert during == [[]] * 6
    assert (not_judged or 0) > 400
    assert _missed_runs(committed_db) == sorted((job_id, times[job_id] + timedelta(days=8)) for job_id in gone)


def _ran_every_night(db: Session, times: dict[int, datetime], *, number: int) -> None:
    """Let the jobs run; the last run of each came by a mail, the others are written at once for the sake of speed."""
    rows = [
        {
            "job_id": job_id,
            "source": RunSource.MAIL,
            "matched_by": MatchedBy.NAME,
            "run_at": first + timedelta(days=night),
            "raw_status": Status.SUCCESS,
            "status": Status.SUCCESS,
        }
        for job_id, first in times.items()
        for night in range(number - 1)
    ]
    db.execute(insert(table_of(JobRun)), rows)
    for job_id, first in times.items():
        make_run(db, job_id, run_at=first + timedelta(days=number - 1))
    db.commit()


def _missed_runs(db: Session) -> list[tuple[int, datetime]]:
    found = select(JobRun.job_id, JobRun.run_at).where(JobRun.source == RunSource.MISSED).order_by(JobRun.job_id)
    return [(row[0], row[1]) for row in db.execute(found)]
