"""Which objects a job's report used to list and lists no more."""

from datetime import datetime

from sqlalchemy import bindparam, func, select, union_all
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
    expected = db.execute(_EXPECTED, {"job_id": job_id, "before": before})
    return sorted({(name, kind) for name, kind in expected if fold(name) not in here})


_EARLIER = (
    select(JobRun.id, JobRun.reading_id)
    .join(MailReading, MailReading.id == JobRun.reading_id)
    .where(JobRun.job_id == bindparam("job_id"), JobRun.run_at < bindparam("before"), MailReading.objects_complete)
    .order_by(JobRun.run_at.desc(), JobRun.id.desc())
)
_RECENT = _EARLIER.limit(USUAL_RUNS).cte("recent")
_USUAL = (
    select(MailObject.name, func.min(MailObject.type))
    .join(_RECENT, _RECENT.c.reading_id == MailObject.reading_id)
    .group_by(MailObject.name)
    .having(func.count(MailObject.reading_id.distinct()) == USUAL_RUNS)
)
_PREVIOUS = _EARLIER.limit(1).cte("previous")
_STILL_OPEN = (
    select(VanishedObject.name, VanishedObject.type)
    .join(_PREVIOUS, _PREVIOUS.c.id == VanishedObject.run_id)
    .where(VanishedObject.confirmed_at.is_(None))
)
_EXPECTED = union_all(_USUAL, _STILL_OPEN)
