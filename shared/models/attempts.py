"""Stored runs as attempts: the values on which `domain/attempts.py` decides."""

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Row, Select, or_, select
from sqlalchemy.orm import Session

from shared.domain.attempts import Attempt
from shared.domain.job_key import job_key
from shared.domain.reading import Kind, ObjectResult
from shared.domain.run_facts import why
from shared.domain.status import Status
from shared.models.jobs import JobRun
from shared.models.mail import MailObject, MailReading

_MIDNIGHT = "T00:00:00"  # also what a date without a time of day is read as


def runs_with_readings() -> Select[JobRun, MailReading]:
    return select(JobRun, MailReading).outerjoin(MailReading, MailReading.id == JobRun.reading_id)


def attempts_of(db: Session, run_id: int) -> list[Attempt]:
    """Return what the mails of one run reported, each for itself."""
    rows = db.execute(runs_with_readings().where(or_(JobRun.id == run_id, JobRun.attempt_of_id == run_id)))
    return list(as_attempts(db, rows.all()).values())


def as_attempts(db: Session, rows: Iterable[Row[JobRun, MailReading]]) -> dict[int, Attempt]:
    """Return what the mails of these runs reported, by run."""
    rows = list(rows)
    objects = _objects(db, [reading.id for _, reading in rows if reading is not None])
    return {run.id: _attempt(run, reading, objects) for run, reading in rows}


def _objects(db: Session, reading_ids: Sequence[int]) -> dict[int, list[ObjectResult]]:
    found: dict[int, list[ObjectResult]] = {}
    query = select(
        MailObject.reading_id,
        MailObject.name,
        MailObject.type,
        MailObject.status,
        MailObject.message,
        MailObject.recovered,
    ).where(MailObject.reading_id.in_(reading_ids))
    for reading_id, name, kind, status, message, recovered in db.execute(query.order_by(MailObject.number)):
        thing = ObjectResult(name=name, type=kind, status=status, message=message, recovered=recovered)
        found.setdefault(reading_id, []).append(thing)
    return found


def _attempt(run: JobRun, reading: MailReading | None, objects: Mapping[int, Sequence[ObjectResult]]) -> Attempt:
    if reading is None:  # its mail is gone: what the run says is all there is
        return Attempt(run_id=run.id, at=run.run_at, status=run.raw_status, message=run.message, may_be_retried=False)
    things = tuple(objects.get(reading.id, ()))
    return Attempt(
        run_id=run.id,
        at=run.run_at,
        status=reading.status or Status.UNREADABLE,
        message=(reading.message or why(things)) if reading.status else reading.reason,
        objects=things,
        of=job_key(
            reading.from_address_key, reading.backup_software, reading.backup_type, reading.job_name, reading.origin
        ),
        session_id=reading.session_id,
        started_at=None if _MIDNIGHT in (reading.started_at or "") else run.started_at,
        retry=reading.retry,
        may_be_retried=reading.kind is Kind.REGULAR,
    )
