"""Writes down what slots mean for runs: that they were looked at, and which of them came late."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared.models.jobs import JobRun


def place_runs(
    db: Session, job_ids: Sequence[int], *, late: Collection[int], not_late: Collection[int], until: datetime
) -> None:
    """Remember that the runs of these jobs were looked at: only new ones are a reason to look again.

    Flag the runs that are `late` for their slot, and take the flag from those that are `not_late` (any more). A run
    that answered a missed one was flagged when it came.
    """
    fresh = select(JobRun.id).where(JobRun.job_id.in_(job_ids), ~JobRun.is_placed, JobRun.run_at <= until)
    fresh_ids = db.scalars(fresh).all()
    if not (touched := {*fresh_ids, *late, *not_late}):
        return
    _lock(db, touched)
    placed = update(JobRun).where(JobRun.id.in_(fresh_ids)).values(is_placed=True)
    db.execute(placed.execution_options(synchronize_session=False))
    for ids, is_late in ((late, True), (not_late, False)):
        if ids:
            wrong = (JobRun.id.in_(ids), JobRun.slot_at.is_(None), JobRun.is_late.is_(not is_late))
            flagged = update(JobRun).where(*wrong)
            values = {"is_late": is_late, "verdict_version": JobRun.verdict_version + 1}
            db.execute(flagged.values(values).execution_options(synchronize_session=False))


def _lock(db: Session, run_ids: Collection[int]) -> None:
    """Lock the runs in the order in which a review does, so that neither waits for the other in a ring."""
    db.execute(select(JobRun.id).where(JobRun.id.in_(run_ids)).order_by(JobRun.id).with_for_update())
