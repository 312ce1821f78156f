"""Which objects a job's report used to list and lists no more. The report of a run is that of all its attempts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, bindparam, exists, func, insert, or_, select, union_all
from sqlalchemy.orm import Session, aliased

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


@dataclass(frozen=True, slots=True)
class Renewed:
    """What became of a run's findings: whether one was added, which nobody has seen, and whether one was taken away."""

    added: bool
    taken: bool


def look_again(db: Session, job_id: int, run_id: int, *, run_at: datetime) -> Renewed:
    """Renew the findings of a run whose attempts became other ones."""
    is_complete = db.scalar(select(_IS_COMPLETE).select_from(JobRun).join(MailReading).where(JobRun.id == run_id))
    gone = vanished_objects(db, job_id, _listed_by(db, run_id), before=run_at) if is_complete else []
    return _renew(db, run_id, gone)


def look_again_later(db: Session, job_id: int, *, after: datetime) -> dict[int, Renewed]:
    """Renew the findings of the runs after one that came in late; return those whose findings changed.

    Mails come in any order, and several at once: what is found must not depend on it. What a person confirmed
    stays. After five runs without a change the late run is out of sight.
    """
    changed: dict[int, Renewed] = {}
    unchanged = 0
    for run_id, run_at in db.execute(_LATER, {"job_id": job_id, "after": after}).all():
        renewed = _renew(db, run_id, vanished_objects(db, job_id, _listed_by(db, run_id), before=run_at))
        if renewed.added or renewed.taken:
            changed[run_id] = renewed
            unchanged = 0
        elif (unchanged := unchanged + 1) == USUAL_RUNS:
            break
    return changed


def _listed_by(db: Session, run_id: int) -> Sequence[str]:
    readings = select(JobRun.reading_id).where(or_(JobRun.id == run_id, JobRun.attempt_of_id == run_id))
    return db.scalars(select(MailObject.name).where(MailObject.reading_id.in_(readings))).all()


def _renew(db: Session, run_id: int, gone: Sequence[tuple[str, str]]) -> Renewed:
    known = db.scalars(select(VanishedObject).where(VanishedObject.run_id == run_id)).all()
    still = {fold(name) for name, _ in gone}
    wrong = [row for row in known if row.confirmed_at is None and fold(row.name) not in still]
    names = {fold(row.name) for row in known}
    new = [(name, kind) for name, kind in gone if fold(name) not in names]
    for row in wrong:
        db.delete(row)
    db.flush()  # the next run looks at these findings
    add_findings(db, run_id, new)
    return Renewed(added=bool(new), taken=bool(wrong))


def add_findings(db: Session, run_id: int, gone: Sequence[tuple[str, str]]) -> None:
    if gone:
        db.execute(insert(VanishedObject), [{"run_id": run_id, "name": name, "type": kind} for name, kind in gone])


_attempt, _its_reading = aliased(JobRun), aliased(MailReading)
_IS_COMPLETE = or_(
    MailReading.objects_complete,
    exists()
    .where(_attempt.attempt_of_id == JobRun.id, _its_reading.id == _attempt.reading_id, _its_reading.objects_complete)
    .correlate(JobRun),
)


def _complete_runs() -> Select[int, int | None, datetime]:
    return (
        select(JobRun.id, JobRun.reading_id, JobRun.run_at)
        .join(MailReading, MailReading.id == JobRun.reading_id)
        .where(JobRun.job_id == bindparam("job_id"), JobRun.attempt_of_id.is_(None), _IS_COMPLETE)
    )


_EARLIER = _complete_runs().where(JobRun.run_at < bindparam("before")).order_by(JobRun.run_at.desc(), JobRun.id.desc())
_RECENT = _EARLIER.limit(USUAL_RUNS).cte("recent")
_REPORTS = union_all(
    select(_RECENT.c.id.label("run_id"), _RECENT.c.reading_id),
    select(_RECENT.c.id, _attempt.reading_id).join(_attempt, _attempt.attempt_of_id == _RECENT.c.id),
).cte("reports")
_USUAL = (
    select(MailObject.name, func.min(MailObject.type))
    .join(_REPORTS, _REPORTS.c.reading_id == MailObject.reading_id)
    .group_by(MailObject.name)
    .having(func.count(_REPORTS.c.run_id.distinct()) == USUAL_RUNS)
)
_PREVIOUS = _EARLIER.limit(1).cte("previous")
_STILL_OPEN = (
    select(VanishedObject.name, VanishedObject.type)
    .join(_PREVIOUS, _PREVIOUS.c.id == VanishedObject.run_id)
    .where(VanishedObject.confirmed_at.is_(None))
)
_EXPECTED = union_all(_USUAL, _STILL_OPEN)
_LATER = (
    _complete_runs()
    .where(JobRun.run_at > bindparam("after"))
    .with_only_columns(JobRun.id, JobRun.run_at)
    .order_by(JobRun.run_at, JobRun.id)
)
