"""Which objects a job's report used to list and lists no more."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.domain.names import fold
from shared.domain.run_facts import RunFacts
from shared.models.jobs import JobRun, VanishedObject
from shared.models.mail import MailObject, MailReading

USUAL_RUNS = 5


def vanished_objects(db: Session, job_id: int, facts: RunFacts, *, before: datetime) -> list[tuple[str, str]]:
    """Return (name, type) of the objects in each of the last five complete runs but not in `facts`.

    An object that was already missing last time and that nobody confirmed as removed stays missing:
    otherwise the second night without it would look usual.
    """
    if not facts.objects_complete:
        return []
    here = {fold(thing.name) for thing in facts.objects}
    expected = [*_usual(db, job_id, before), *_still_open(db, job_id, before)]
    return sorted({(name, kind) for name, kind in expected if fold(name) not in here})


def _usual(db: Session, job_id: int, before: datetime) -> list[tuple[str, str]]:
    recent = (
        select(JobRun.reading_id)
        .join(MailReading, MailReading.id == JobRun.reading_id)
        .where(JobRun.job_id == job_id, JobRun.run_at < before, MailReading.objects_complete)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(USUAL_RUNS)
        .cte("recent")
    )
    rows = db.execute(
        select(MailObject.name, func.min(MailObject.type))
        .where(MailObject.reading_id.in_(select(recent.c.reading_id)))
        .group_by(MailObject.name)
        .having(func.count(MailObject.reading_id.distinct()) == USUAL_RUNS)
    )
    return [(name, kind) for name, kind in rows]


def _still_open(db: Session, job_id: int, before: datetime) -> list[tuple[str, str]]:
    previous = (
        select(JobRun.id)
        .join(MailReading, MailReading.id == JobRun.reading_id)
        .where(JobRun.job_id == job_id, JobRun.run_at < before, MailReading.objects_complete)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(1)
    )
    rows = db.execute(
        select(VanishedObject.name, VanishedObject.type).where(
            VanishedObject.run_id == previous.scalar_subquery(), VanishedObject.confirmed_at.is_(None)
        )
    )
    return [(name, kind) for name, kind in rows]
