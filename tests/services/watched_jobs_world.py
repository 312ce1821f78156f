"""Jobs whose silence is noticed, and the passing of time over them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.clients.queue_memory import MemoryQueues
from shared.domain.mailflow import Source
from shared.domain.run import RunSource
from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.schedules import JobSlot
from shared.models.system import ImportCycle
from shared.services.tick_missed_runs import tick_missed_runs
from shared.services.work_off import work_off
from tests.builders import make_run, runs_of

FIRST = datetime(2026, 6, 1, 20, tzinfo=UTC)  # 22:00 in Amsterdam


def nights(number: int, *, first: datetime = FIRST) -> list[datetime]:
    return [first + timedelta(days=each) for each in range(number)]


def ran(db: Session, job_id: int, moments: Iterable[datetime], *, status: Status = Status.SUCCESS) -> None:
    for moment in moments:
        make_run(db, job_id, run_at=moment, status=status)
    db.commit()


def covered(db: Session, until: datetime) -> None:
    """Let the mail folder be read to its end at this moment."""
    db.add(ImportCycle(source=Source.FOLDER, trigger="timer", started_at=until, finished_at=until, complete=True))
    db.commit()


def look_after_all(now: datetime) -> None:
    queues = MemoryQueues()
    tick_missed_runs(queues, clock=lambda: now)
    work_off(queues, clock=lambda: now)


def tick(db: Session, now: datetime) -> None:
    look_after_all(now)
    db.expire_all()


def missed(db: Session, job_id: int) -> list[datetime]:
    return [run.run_at for run in runs_of(db, job_id) if run.source is RunSource.MISSED]


def states(db: Session, job_id: int) -> list[SlotState]:
    return list(db.scalars(select(JobSlot.state).where(JobSlot.job_id == job_id).order_by(JobSlot.slot_at)))
