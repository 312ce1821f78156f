"""What never came, committed: missed runs, silent sources, stopped jobs, slots that nobody can judge yet."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import update

from functions.http_api.formats import short_time
from shared import clock
from shared.db.session import transaction
from shared.domain.slot_state import SlotState
from shared.models.jobs import JobRun
from shared.models.schedules import JobSchedule, JobSlot, SilentSource
from shared.services.record_run import record_missed_run

SENDER = "backup@acme.example"


def ago(**length: float) -> datetime:
    """Return the moment so long ago, in whole minutes: what is shown of it does not depend on the second."""
    return clock.now().replace(second=0, microsecond=0) - timedelta(**length)


def missed_runs(job_id: int, *slots: datetime, silence_id: int | None = None) -> tuple[int, ...]:
    """Commit the missed runs of these slots of a job."""
    with transaction() as db:
        found = [record_missed_run(db, job_id, slot_at=slot, message="no report came") for slot in slots]
        run_ids = tuple(run_id for run_id in found if run_id is not None)
        db.execute(update(JobRun).where(JobRun.id.in_(run_ids)).values(silence_id=silence_id))
    return run_ids


def a_silence(*, sender: str | None = SENDER, customer_id: int | None = None, began_at: datetime | None = None) -> int:
    """Commit a source that fell silent."""
    began = began_at or ago(days=1)
    with transaction() as db:
        source = SilentSource(
            from_address=None if customer_id else sender, customer_id=customer_id, began_at=began, last_at=began
        )
        db.add(source)
        db.flush()
        return source.id


def stop(job_id: int) -> None:
    with transaction() as db:
        db.add(JobSchedule(job_id=job_id, stopped_at=clock.now()))


def held(job_id: int, *slots: datetime, why: str = "the mails of that time are not in yet") -> None:
    """Commit slots that are not judged."""
    slots_of(job_id, slots, SlotState.NOT_JUDGED, why=why)


def slots_of(
    job_id: int, slots: Sequence[datetime], state: SlotState, *, run_id: int | None = None, why: str = ""
) -> None:
    with transaction() as db:
        for slot in slots:
            db.add(
                JobSlot(
                    job_id=job_id,
                    slot_at=slot,
                    day=slot.date(),
                    early_from=slot - timedelta(hours=6),
                    deadline=slot + timedelta(minutes=30),
                    state=state,
                    run_id=run_id,
                    why=why,
                )
            )


def make_history(run_ids: tuple[int, ...]) -> None:
    """Let runs be from before the go-live date: they need no review."""
    with transaction() as db:
        db.execute(update(JobRun).where(JobRun.id.in_(run_ids)).values(is_history=True))


def said(moment: datetime) -> str:
    """Return the moment as pages say it now."""
    return short_time(moment, clock.now())
