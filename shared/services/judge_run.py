"""What a run counts as: the verdict of its mails, held down by what vanished from the report."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.status import Status, badness, worst
from shared.models.jobs import JobRun, VanishedObject
from shared.services.apply_overrides import apply_overrides
from shared.services.link_tickets import look_again_at
from shared.services.vanished import look_again_later

_GONE = "no longer in the report: "


def judge_later(db: Session, job_id: int, *, after: datetime) -> None:
    """Judge the runs after one that came in late again, where they miss other objects now."""
    for run_id, renewed in look_again_later(db, job_id, after=after).items():
        judge_again(db, run_id, misses_more=renewed.added)


def judge_again(db: Session, run_id: int, *, misses_more: bool = False) -> bool:
    """Give the run the verdict that its open findings leave; return whether that is another one.

    A run that gets worse, or of which something vanished that nobody has seen, is to be reviewed again.
    """
    run = db.get_one(JobRun, run_id, with_for_update=True, populate_existing=True)
    gone = open_findings(db, run_id)
    before, run.status = run.status, verdict(run.raw_status, gone)
    if misses_more or badness(run.status) > badness(before):
        run.reviewed_at = run.reviewed_by = run.review_id = None
    if misses_more or run.status is not before:
        run.verdict_version += 1
        look_again_at(db, run_id)
    if not run.message or run.message.startswith(_GONE):
        run.message = absence(gone)
    db.flush()  # what it counts as is asked of the rows
    apply_overrides(db, [run_id])
    return run.status is not before


def verdict(raw: Status, findings: Sequence[object]) -> Status:
    """Return what a run counts as: an unconfirmed vanished object makes it a warning at least."""
    return worst((raw, Status.WARNING)) if findings else raw


def absence(gone: Sequence[tuple[str, str]]) -> str:
    return f"{_GONE}{', '.join(name for name, _ in gone[:5])}" if gone else ""


def open_findings(db: Session, run_id: int) -> list[tuple[str, str]]:
    """Return (name, type) of what vanished from the run's report and nobody confirmed."""
    found = select(VanishedObject.name, VanishedObject.type).where(
        VanishedObject.run_id == run_id, VanishedObject.confirmed_at.is_(None)
    )
    return [(name, kind) for name, kind in db.execute(found.order_by(VanishedObject.name))]
