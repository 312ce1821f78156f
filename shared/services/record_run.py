"""The only door through which a run comes into being, whatever caused it."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import bindparam, insert, select
from sqlalchemy.orm import Session

from shared.db.base import table_of
from shared.domain.run import MatchedBy, RunSource
from shared.domain.run_facts import RunFacts, instant
from shared.domain.status import Status, worst
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun, VanishedObject
from shared.models.system import SystemSettings
from shared.services.vanished import vanished_objects


def record_mail_run(
    db: Session, job_id: int, *, reading_id: int, matched_by: MatchedBy, run_at: datetime, facts: RunFacts
) -> int:
    """Create the run of a mail's reading and return its id. The schema lets a reading have one run only."""
    return _record(
        db, job_id, source=RunSource.MAIL, run_at=run_at, facts=facts, reading_id=reading_id, matched_by=matched_by
    )


def _record(
    db: Session,
    job_id: int,
    *,
    source: RunSource,
    run_at: datetime,
    facts: RunFacts,
    reading_id: int | None = None,
    matched_by: MatchedBy | None = None,
) -> int:
    gone = vanished_objects(db, job_id, facts, before=run_at)
    zone = _zone(db, job_id) if facts.started_at or facts.ended_at else ZoneInfo("UTC")
    run = {
        "job_id": job_id,
        "source": source,
        "reading_id": reading_id,
        "matched_by": matched_by,
        "run_at": run_at,
        "raw_status": facts.status,
        "status": verdict(facts.status, gone),
        "message": facts.message or _absence(gone),
        "started_at": instant(facts.started_at, zone),
        "ended_at": instant(facts.ended_at, zone),
        "size_bytes": facts.size_bytes,
    }
    run_id: int = db.execute(_ADD_RUN, run).scalar_one()
    if gone:
        db.execute(insert(VanishedObject), [{"run_id": run_id, "name": name, "type": kind} for name, kind in gone])
    return run_id


def verdict(raw: Status, findings: Sequence[object]) -> Status:
    """Return what a run counts as: an unconfirmed vanished object makes it a warning at least."""
    return worst((raw, Status.WARNING)) if findings else raw


def _absence(gone: Sequence[tuple[str, str]]) -> str:
    return f"no longer in the report: {', '.join(name for name, _ in gone[:5])}" if gone else ""


def _zone(db: Session, job_id: int) -> ZoneInfo:
    customers_zone, default = db.execute(_ZONES, {"job_id": job_id}).one()
    return ZoneInfo(customers_zone or default)


_ADD_RUN = insert(table_of(JobRun)).returning(table_of(JobRun).c.id)
_ZONES = (
    select(Customer.time_zone, select(SystemSettings.ui_time_zone).scalar_subquery())
    .join(Job, Job.customer_id == Customer.id)
    .where(Job.id == bindparam("job_id"))
)
