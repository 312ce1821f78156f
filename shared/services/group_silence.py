"""Notices that a whole sender, or a whole customer, fell silent, and makes its missed runs one item."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from shared.domain.run import RunSource
from shared.models.jobs import JobRun
from shared.models.schedules import SilentSource
from shared.models.system import SystemSettings
from shared.services.silence_evidence import MIN_JOBS, Evidence, Source, evidence

_LOCK = 7_301_003  # any constant: locks of this kind don't meet those of others
_NOTHING = Evidence(jobs=0, arrived=0, missed=frozenset(), began_at=None, last_at=None)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Silence:
    """A source that is silent, or is found to be; `silence_id` is None while nobody was told. `jobs` fell silent."""

    source: Source
    silence_id: int | None
    jobs: frozenset[int]
    found: Evidence

    @property
    def rank(self) -> tuple[int, bool, str, int]:
        """What explains more jobs comes first; of two that explain as many, the customer."""
        of = self.source
        return (-len(self.jobs), of.customer_id is None, of.from_address or "", of.customer_id or 0)


def group_silences(db: Session, *, now: datetime) -> int:
    """Open, extend and end silent sources, and group their missed runs; return how many of either changed.

    Harmless to repeat. Call it in a transaction of its own: it waits for others that do the same.
    """
    db.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    known = _open_silences(db)
    found = evidence(db, known, now=now)
    over = _over(db, known, found, now)
    silent, explained = _worth_an_item(_candidates(db, known, found, over))
    over |= explained & known.keys()
    _end(db, [known[source] for source in over], now)
    _detach(db, [known[source] for source in explained & known.keys()])
    return len(over) + sum(_keep(db, each) for each in silent)


def _open_silences(db: Session) -> dict[Source, int]:
    rows = db.execute(
        select(SilentSource.from_address, SilentSource.customer_id, SilentSource.id).where(
            SilentSource.ended_at.is_(None)
        )
    )
    return {Source(row[0], row[1]): row[2] for row in rows}


def _over(db: Session, known: Mapping[Source, int], found: Mapping[Source, Evidence], now: datetime) -> set[Source]:
    """Return the silences that are over: mails arrive again, or nothing was expected for the whole look-back."""
    since = now - timedelta(days=db.get_one(SystemSettings, 1).missed_look_back_days)
    stale = set(
        db.scalars(select(SilentSource.id).where(SilentSource.ended_at.is_(None), SilentSource.last_at < since))
    )
    return {
        source
        for source, silence_id in known.items()
        if (source in found and found[source].is_back) or (source not in found and silence_id in stale)
    }


def _candidates(
    db: Session, known: Mapping[Source, int], found: Mapping[Source, Evidence], over: set[Source]
) -> list[_Silence]:
    grouped = _grouped_jobs(db, known.values())
    going_on = [
        _Silence(
            source=source,
            silence_id=silence_id,
            jobs=grouped.get(silence_id, frozenset()) | found.get(source, _NOTHING).missed,
            found=found.get(source, _NOTHING),
        )
        for source, silence_id in known.items()
        if source not in over
    ]
    fresh = [
        _Silence(source=source, silence_id=None, jobs=what.missed, found=what)
        for source, what in found.items()
        if source not in known and what.is_silent
    ]
    return going_on + fresh


def _grouped_jobs(db: Session, silence_ids: Iterable[int]) -> dict[int, frozenset[int]]:
    """Return the jobs whose missed runs wait in each silence."""
    rows = db.execute(
        select(JobRun.silence_id, func.array_agg(JobRun.job_id.distinct()))
        .where(JobRun.silence_id.in_(list(silence_ids)), JobRun.reviewed_at.is_(None))
        .group_by(JobRun.silence_id)
    )
    return {silence_id: frozenset(job_ids) for silence_id, job_ids in rows if silence_id is not None}


def _worth_an_item(candidates: Iterable[_Silence]) -> tuple[list[_Silence], set[Source]]:
    """Return the silences that are items, biggest first, and the sources that those explain.

    When a relay dies, every customer behind it falls silent too, one after the other: that is one incident.
    """
    silent, told, explained = list[_Silence](), set[int](), set[Source]()
    for each in sorted(candidates, key=lambda each: each.rank):
        if each.jobs & told and len(each.jobs - told) < MIN_JOBS:
            explained.add(each.source)
        else:
            silent.append(each)
            told |= each.jobs
    return silent, explained


def _end(db: Session, silence_ids: Iterable[int], now: datetime) -> None:
    db.execute(update(SilentSource).where(SilentSource.id.in_(list(silence_ids))).values(ended_at=now))


def _detach(db: Session, silence_ids: Iterable[int]) -> None:
    of_them = (JobRun.silence_id.in_(list(silence_ids)), JobRun.reviewed_at.is_(None))
    locked = select(JobRun.id).where(*of_them).order_by(JobRun.id).with_for_update()
    db.execute(update(JobRun).where(JobRun.id.in_(locked)).values(silence_id=None))


def _keep(db: Session, silence: _Silence) -> int:
    """Write a silence down as it is now, and give it the missed runs that nobody reviewed yet; return the changes."""
    found, silence_id = silence.found, silence.silence_id
    if silence_id is None:
        silence_id = _open(db, silence)
    elif found.last_at is not None:
        later = (SilentSource.id == silence_id, SilentSource.last_at < found.last_at)
        db.execute(update(SilentSource).where(*later).values(last_at=found.last_at))
    return (silence.silence_id is None) + _attach(db, silence.source, silence_id)


def _open(db: Session, silence: _Silence) -> int:
    row = {
        "from_address": silence.source.from_address,
        "customer_id": silence.source.customer_id,
        "began_at": silence.found.began_at,
        "last_at": silence.found.last_at,
    }
    return db.scalars(insert(SilentSource).returning(SilentSource.id), [row]).one()


def _attach(db: Session, source: Source, silence_id: int) -> int:
    """Group the missed runs since the silence began; one that somebody reviews just now is his."""
    began_at = select(SilentSource.began_at).where(SilentSource.id == silence_id).scalar_subquery()
    waiting = (
        select(JobRun.id)
        .where(
            JobRun.source == RunSource.MISSED,
            JobRun.reviewed_at.is_(None),
            JobRun.silence_id.is_(None),
            JobRun.slot_at >= began_at,
            JobRun.job_id.in_(source.jobs),
        )
        .order_by(JobRun.id)
        .with_for_update(skip_locked=True)
    )
    grouped = update(JobRun).where(JobRun.id.in_(waiting)).values(silence_id=silence_id).returning(JobRun.id)
    return len(db.scalars(grouped).all())
