"""The only door through which a run comes into being, whatever caused it."""

from collections.abc import Iterable, Mapping
from datetime import datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Executable, bindparam, delete, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as on_conflict_insert
from sqlalchemy.orm import Session, aliased

from shared.db.base import table_of
from shared.domain.attempts import RETRY, SESSION
from shared.domain.run import MatchedBy, RunSource
from shared.domain.run_facts import RunFacts, instant
from shared.domain.slot_state import SlotState
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun, VanishedObject
from shared.models.mail import MailReading
from shared.models.schedules import JobSlot
from shared.models.system import SystemSettings
from shared.models.troubled_runs import may_be_overridden
from shared.services.apply_overrides import apply_overrides
from shared.services.join_attempts import REPORTED, join_attempts
from shared.services.judge_run import absence, judge_again, verdict
from shared.services.link_tickets import has_tickets, link_open_tickets
from shared.services.vanished import add_findings, look_again_later, vanished_objects


def record_mail_run(
    db: Session, job_id: int, *, reading_id: int, matched_by: MatchedBy, run_at: datetime, facts: RunFacts
) -> int:
    """Give a mail's reading its run, of its own or as an attempt of another; return the run that shows it.

    The schema lets a reading have one run only.
    """
    return _record(
        db, job_id, source=RunSource.MAIL, run_at=run_at, facts=facts, reading_id=reading_id, matched_by=matched_by
    )


def record_missed_run(db: Session, job_id: int, *, slot_at: datetime, message: str) -> int | None:
    """Create the run that says that nothing came for a slot, dated at the slot; None when the slot has its run."""
    _lock_job(db, job_id)
    run = {
        "job_id": job_id,
        "source": RunSource.MISSED,
        "run_at": slot_at,
        "slot_at": slot_at,
        "raw_status": Status.MISSED,
        "status": Status.MISSED,
        "message": message,
        "is_placed": True,
    }
    return _add_silence(db, job_id, _ADD_MISSED, run)


def record_overdue_run(db: Session, job_id: int, *, passed_at: datetime, days: int, message: str) -> int | None:
    """Create the run that says that a device that sleeps lacks a good backup; None while another one waits."""
    run = {
        "job_id": job_id,
        "source": RunSource.OVERDUE,
        "run_at": passed_at,
        "overdue_days": days,
        "raw_status": Status.OVERDUE,
        "status": Status.OVERDUE,
        "message": message,
        "is_placed": True,
    }
    return _add_silence(db, job_id, _ADD_OVERDUE, run)


def _add_silence(db: Session, job_id: int, add: Executable, run: Mapping[str, object]) -> int | None:
    run_id: int | None = db.scalar(add, run)
    if run_id is not None:
        link_open_tickets(db, job_id, run_id)
        apply_overrides(db, [run_id], is_new=True)
    return run_id


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
    zone, go_live_at = _lock_job(db, job_id)
    listed = [thing.name for thing in facts.objects]
    gone = vanished_objects(db, job_id, listed, before=run_at) if facts.objects_complete else []
    run = {
        "job_id": job_id,
        "source": source,
        "reading_id": reading_id,
        "matched_by": matched_by,
        "run_at": run_at,
        "raw_status": facts.status,
        "status": verdict(facts.status, gone),
        "message": facts.message or absence(gone),
        "started_at": instant(facts.started_at, zone),
        "ended_at": instant(facts.ended_at, zone),
        "size_bytes": facts.size_bytes,
        "is_history": go_live_at is not None and run_at < go_live_at,
    }
    run_id, came_late, has_company, missed_id, has_tickets_open, may_count = db.execute(_ADD_RUN, run).one()
    add_findings(db, run_id, gone)
    if has_company:
        joined = join_attempts(db, job_id, run_id, go_live_at=go_live_at)
        if joined is not None:
            if has_tickets_open:
                link_open_tickets(db, job_id, joined)
            return joined
    if missed_id is not None:
        run_id = _answer(db, missed_id, run_id, run)
    if has_tickets_open and not run["is_history"]:
        link_open_tickets(db, job_id, run_id)
    if may_count:
        apply_overrides(db, [run_id], is_new=True)
    if came_late and facts.objects_complete:
        for later_id in look_again_later(db, job_id, after=run_at):
            judge_again(db, later_id)
    return int(run_id)


def _answer(db: Session, missed_id: int, run_id: int, run: Mapping[str, Any]) -> int:
    """Let the mail that came after all take over its missed run, which keeps its slot and what is linked to it.

    One that was reviewed stays as it is: then the mail keeps a run of its own, which points at it and awaits review.
    Return the run that carries the mail.
    """
    missed = db.get_one(JobRun, missed_id, with_for_update=True, populate_existing=True)
    slot = (JobSlot.job_id == missed.job_id, JobSlot.slot_at == missed.slot_at)
    deadline = db.scalar(select(JobSlot.deadline).where(*slot))
    is_late = deadline is None or run["run_at"] > deadline  # it may have waited in the inbox instead
    late = {"is_late": is_late, "is_placed": True}
    if missed.reviewed_at is None:
        db.execute(update(VanishedObject).where(VanishedObject.run_id == run_id).values(run_id=missed_id))
        db.execute(delete(JobRun).where(JobRun.id == run_id))
        taken = {**run, **late, "silence_id": None, "verdict_version": missed.verdict_version + 1}
        taken |= {"override_id": None, "overridden_at": None}
        db.execute(update(JobRun).where(JobRun.id == missed_id).values(taken))
        run_id = missed_id
    else:
        points_back = {**late, "slot_at": missed.slot_at, "late_for_id": missed_id}
        db.execute(update(JobRun).where(JobRun.id == run_id).values(points_back))
    state = SlotState.LATE if is_late else SlotState.ARRIVED
    db.execute(update(JobSlot).where(*slot).values(state=state, run_id=run_id))
    return run_id


def lock_jobs(db: Session, job_ids: Iterable[int]) -> None:
    """Lock several jobs in one order, so that two mails about the same jobs never wait for each other in a ring."""
    db.execute(select(Job.id).where(Job.id.in_(job_ids)).order_by(Job.id).with_for_update(key_share=True))


def _lock_job(db: Session, job_id: int) -> tuple[ZoneInfo, datetime | None]:
    """Let the job's runs come in one after the other, because each is judged by those before.

    Return its zone, and the moment before which its runs are history.
    """
    customers_zone, default, go_live_on = db.execute(_LOCKED, {"job_id": job_id}).one()
    zone = ZoneInfo(customers_zone or default)
    return zone, datetime.combine(go_live_on, time.min, zone) if go_live_on else None


_runs = table_of(JobRun)
_LOCKED = (
    select(
        Customer.time_zone,
        select(SystemSettings.ui_time_zone).scalar_subquery(),
        func.coalesce(Customer.go_live_on, select(SystemSettings.go_live_on).scalar_subquery()),
    )
    .join(Job, Job.customer_id == Customer.id)
    .where(Job.id == bindparam("job_id"))
    .with_for_update(of=Job, key_share=True)
)

# What is around a new run is asked where it is added: the statement that waits for the lock sees what was there before.
_RUN_COLUMNS = (
    "job_id source reading_id matched_by run_at raw_status status message started_at ended_at size_bytes is_history"
).split()
_run = (
    insert(_runs)
    .values({name: bindparam(name, type_=_runs.c[name].type) for name in _RUN_COLUMNS})
    .returning(_runs.c.id, *(_runs.c[name] for name in _RUN_COLUMNS))
    .cte("run")
)
_later, _near, _mate = _runs.alias("later"), _runs.alias("near"), _runs.alias("mate")
_mine, _theirs = table_of(MailReading).alias("mine"), table_of(MailReading).alias("theirs")
_CAME_LATE = exists().where(_later.c.job_id == _run.c.job_id, _later.c.run_at > _run.c.run_at)
_NOTHING_WRONG = (Status.SUCCESS, Status.INFORMATIONAL)
_NEAR_TROUBLE = exists().where(
    _near.c.job_id == _run.c.job_id,
    _near.c.run_at.between(_run.c.run_at - RETRY, _run.c.run_at + RETRY),
    _near.c.source.in_(REPORTED),
    or_(
        _run.c.raw_status.not_in(_NOTHING_WRONG),
        _near.c.raw_status.not_in(_NOTHING_WRONG),
        _near.c.attempt_of_id.is_not(None),
        _near.c.recovered_on.is_not(None),
    ),
)
_OF_A_SESSION = exists().where(
    _mine.c.id == _run.c.reading_id,
    or_(_mine.c.session_id.is_not(None), _mine.c.started_at.is_not(None)),
    _mate.c.job_id == _run.c.job_id,
    _mate.c.run_at.between(_run.c.run_at - SESSION, _run.c.run_at + SESSION),
    _theirs.c.id == _mate.c.reading_id,
    or_(_theirs.c.session_id == _mine.c.session_id, _mate.c.started_at == _run.c.started_at),
)
_missed, _answer_to = aliased(JobRun), aliased(JobRun)
_own_slot, _next_slot = aliased(JobSlot), aliased(JobSlot)
_could_be_its_own = exists().where(
    _own_slot.job_id == _missed.job_id, _own_slot.slot_at == _missed.slot_at, _own_slot.early_from <= _run.c.run_at
)
_is_next_ones = exists().where(
    _next_slot.job_id == _missed.job_id, _next_slot.slot_at > _missed.slot_at, _next_slot.early_from <= _run.c.run_at
)
_ANSWERED = (  # the missed run of the last slot that the run can be of, unless it belongs to the next one
    select(_missed.id)
    .where(
        _missed.job_id == _run.c.job_id,
        _missed.source == RunSource.MISSED,
        _could_be_its_own.correlate(_missed, _run),
        ~_is_next_ones.correlate(_missed, _run),
        ~exists().where(_answer_to.late_for_id == _missed.id),
    )
    .order_by(_missed.slot_at.desc())
    .limit(1)
    .correlate(_run)
    .scalar_subquery()
)
_ADD_RUN = select(
    _run.c.id,
    _CAME_LATE,
    or_(_NEAR_TROUBLE, _OF_A_SESSION),
    _ANSWERED,
    has_tickets(_run.c.job_id).label("has_tickets"),
    may_be_overridden(_run.c.job_id, _run.c.status, _run.c.run_at).label("may_be_overridden"),
)
_ADD_MISSED = _ADD_OVERDUE = on_conflict_insert(_runs).on_conflict_do_nothing().returning(_runs.c.id)
