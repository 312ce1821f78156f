"""Which objects a job's report used to list and lists no more."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, union_all
from sqlalchemy.orm import Session

from shared.domain.names import fold
from shared.models.jobs import JobRun, VanishedObject
from shared.models.mail import MailObject, MailReading

USUAL_RUNS = 5


def vanished_objects(db: Session, job_id: int, listed: Iterable[str], *, before: datetime) -> list[tuple[str, str]]:
    """Return (name, type) of the objects in each of the last five complete runs but not among those `listed`.

    An object that was already missing last time and that nobody confirmed as removed stays missing:
    otherwise the second night without it would look usual.
    """
    here = {fold(name) for name in listed}
    expected = db.execute(_EXPECTED, {"job_id": job_id, "before": before})
    return sorted({(name, kind) for name, kind in expected if fold(name) not in here})


def look_again_later(db: Session, job_id: int, *, after: datetime) -> list[int]:
    """Renew the findings of the runs after one that came in late; return the runs whose findings changed.

    Mails come in any order, and several at once: what is found must not depend on it. What a person confirmed
    stays. After five runs without a change the late run is out of sight.
    """
    changed, unchanged = [], 0
    for run_id, reading_id, run_at in db.execute(_LATER, {"job_id": job_id, "after": after}).all():
        listed = db.scalars(select(MailObject.name).where(MailObject.reading_id == reading_id))
        if _renew(db, run_id, vanished_objects(db, job_id, listed, before=run_at)):
            changed.append(run_id)
            unchanged = 0
        elif (unchanged := unchanged + 1) == USUAL_RUNS:
            break
    return changed


def _renew(db: Session, run_id: int, gone: Sequence[tuple[str, str]]) -> bool:
    known = db.scalars(select(VanishedObject).where(VanishedObject.run_id == run_id)).all()
    wrong = [row for row in known if row.confirmed_at is None and (row.name, row.type) not in gone]
    names = {fold(row.name) for row in known}
    new = [(name, kind) for name, kind in gone if fold(name) not in names]
    for row in wrong:
        db.delete(row)
    db.flush()  # the next run looks at these findings
    add_findings(db, run_id, new)
    return bool(wrong or new)


def add_findings(db: Session, run_id: int, gone: Sequence[tuple[str, str]]) -> None:
    if gone:
        db.execute(insert(VanishedObject), [{"run_id": run_id, "name": name, "type": kind} for name, kind in gone])


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
_LATER = (
    select(JobRun.id, JobRun.reading_id, JobRun.run_at)
    .join(MailReading, MailReading.id == JobRun.reading_id)
    .where(JobRun.job_id == bindparam("job_id"), JobRun.run_at > bindparam("after"), MailReading.objects_complete)
    .order_by(JobRun.run_at, JobRun.id)
)
