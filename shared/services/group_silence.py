"""Notices that a whole sender, or a whole customer, fell silent, and makes its missed runs one item."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import and_, func, insert, select, union_all, update
from sqlalchemy.orm import Session

from shared.domain.run import RunSource
from shared.domain.silent_source import Evidence, Silence, Source, apart
from shared.models.jobs import Job, JobKeyRow, JobRun
from shared.models.schedules import SilentSource
from shared.models.system import SystemSettings
from shared.services.silence_evidence import evidence

_LOCK = 7_301_003  # any constant: locks of this kind don't meet those of others


def group_silences(db: Session, *, now: datetime) -> int:
    """Open, extend and end silent sources, and group their missed runs; return how many of either changed.

    Harmless to repeat. Call it in a transaction of its own: it waits for others that do the same.
    """
    db.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    open_ones = _open_silences(db)
    found = evidence(db, [silence.source for silence in open_ones], now=now)
    stale = now - timedelta(days=db.get_one(SystemSettings, 1).missed_look_back_days)
    over = [silence for silence in open_ones if _is_over(silence, found.get(silence.source), stale)]
    own, explained = apart([*_going_on(open_ones, over, found), *_fresh(open_ones, found)])
    merged = [silence for silence in explained if silence.silence_id is not None]
    _end(db, [*over, *merged], now)
    _detach(db, merged)
    _note_longer(db, own, {silence.silence_id: silence.last_at for silence in open_ones})
    added = _add(db, [silence for silence in own if silence.silence_id is None])
    grouped = _attach(db) if own else 0
    return len(over) + len(merged) + added + grouped


def _open_silences(db: Session) -> list[Silence]:
    """Return the silences that were not over when somebody last looked, with the jobs whose missed runs wait."""
    jobs = (
        select(func.array_agg(JobRun.job_id.distinct()))
        .where(JobRun.silence_id == SilentSource.id, JobRun.reviewed_at.is_(None))
        .scalar_subquery()
    )
    rows = db.execute(
        select(
            SilentSource.from_address,
            SilentSource.customer_id,
            SilentSource.id,
            jobs,
            SilentSource.began_at,
            SilentSource.last_at,
        ).where(SilentSource.ended_at.is_(None))
    )
    return [
        Silence(
            source=Source(from_address, customer_id),
            silence_id=silence_id,
            jobs=frozenset(job_ids or ()),
            began_at=began_at,
            last_at=last_at,
        )
        for from_address, customer_id, silence_id, job_ids, began_at, last_at in rows
    ]


def _is_over(silence: Silence, found: Evidence | None, stale: datetime) -> bool:
    """Whether runs arrive again, or none were expected for the whole look-back."""
    return found.is_back if found else silence.last_at < stale


def _going_on(
    open_ones: Iterable[Silence], over: Sequence[Silence], found: Mapping[Source, Evidence]
) -> Iterable[Silence]:
    for silence in open_ones:
        if silence in over:
            continue
        more = found.get(silence.source)
        if more and more.last_at:
            last_at = max(silence.last_at, more.last_at)
            yield replace(silence, jobs=silence.jobs | more.missed, last_at=last_at)
        else:
            yield silence


def _fresh(open_ones: Iterable[Silence], found: Mapping[Source, Evidence]) -> Iterable[Silence]:
    known = {silence.source for silence in open_ones}
    for source, what in found.items():
        if source not in known and what.is_silent and what.began_at and what.last_at:
            yield Silence(source=source, jobs=what.missed, began_at=what.began_at, last_at=what.last_at)


def _end(db: Session, silences: Sequence[Silence], now: datetime) -> None:
    if silences:
        ended = update(SilentSource).where(SilentSource.id.in_([each.silence_id for each in silences]))
        db.execute(ended.values(ended_at=now))


def _detach(db: Session, silences: Sequence[Silence]) -> None:
    """Give the missed runs of silences that others explain free for those."""
    if not silences:
        return
    of_them = (JobRun.silence_id.in_([each.silence_id for each in silences]), JobRun.reviewed_at.is_(None))
    locked = select(JobRun.id).where(*of_them).order_by(JobRun.id).with_for_update()
    detached = update(JobRun).where(JobRun.id.in_(locked)).values(silence_id=None)
    db.execute(detached.execution_options(synchronize_session=False))


def _note_longer(db: Session, silences: Iterable[Silence], so_far: Mapping[int | None, datetime]) -> None:
    """Store until when the silences that were known went on."""
    rows = [
        {"id": each.silence_id, "last_at": each.last_at}
        for each in silences
        if each.silence_id is not None and each.last_at != so_far[each.silence_id]
    ]
    if rows:
        db.execute(update(SilentSource), rows)


def _add(db: Session, silences: Sequence[Silence]) -> int:
    rows = [
        {
            "from_address": each.source.from_address,
            "customer_id": each.source.customer_id,
            "began_at": each.began_at,
            "last_at": each.last_at,
        }
        for each in silences
    ]
    if rows:
        db.execute(insert(SilentSource), rows)
    return len(rows)


def _attach(db: Session) -> int:
    """Group the missed runs of the sources that are silent since they fell silent; return how many.

    A run of two belongs to the one that was noticed first; a run that somebody reviews just now is his.
    """
    silence = (SilentSource.id.label("silence_id"), SilentSource.began_at)
    of_sender = select(JobKeyRow.job_id, *silence).join_from(
        SilentSource, JobKeyRow, JobKeyRow.from_address == SilentSource.from_address
    )
    of_customer = select(Job.id, *silence).join_from(SilentSource, Job, Job.customer_id == SilentSource.customer_id)
    goes_on = SilentSource.ended_at.is_(None)
    silent = union_all(of_sender.where(goes_on), of_customer.where(goes_on)).cte("silent")
    waiting = (
        select(JobRun.id, JobRun.job_id, JobRun.slot_at)
        .where(
            JobRun.source == RunSource.MISSED,
            JobRun.reviewed_at.is_(None),
            JobRun.silence_id.is_(None),
            JobRun.job_id.in_(select(silent.c.job_id)),
            JobRun.slot_at >= select(func.min(silent.c.began_at)).scalar_subquery(),
        )
        .order_by(JobRun.id)
        .with_for_update(skip_locked=True)
        .cte("waiting")
    )
    chosen = (
        select(waiting.c.id, func.min(silent.c.silence_id).label("silence_id"))
        .join(silent, and_(silent.c.job_id == waiting.c.job_id, silent.c.began_at <= waiting.c.slot_at))
        .group_by(waiting.c.id)
        .cte("chosen")
    )
    grouped = update(JobRun).where(JobRun.id == chosen.c.id).values(silence_id=chosen.c.silence_id).returning(JobRun.id)
    return len(db.scalars(grouped.execution_options(synchronize_session=False)).all())
