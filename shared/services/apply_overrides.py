"""Lets overrides hold for runs: part of making a run and of judging it again. The raw verdict and the status stay.

What a run counts as follows from the overrides of its time alone, so it is the same whatever comes first. A run that
a person marked as success stays so as long as that review of it does.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, and_, case, func, or_, select, text, true, update
from sqlalchemy.orm import Session

from shared.domain.override_words import OverrideLevel
from shared.domain.overrides import GOOD, Covered, TroubledRun, covering
from shared.models.jobs import JobRun
from shared.models.overrides import Override
from shared.models.troubled_runs import as_troubled, is_troubled, may_be_overridden, rules_about, select_troubled

REOPENED = timedelta(days=14)  # an older run that loses its override by what a person does stays reviewed
_BATCH = 1000
# Mails that hit several overrides must not wait for each other in a ring. Taken last, after jobs and runs.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(1869505906)")

_Found = Mapping[int, tuple[TroubledRun, Covered]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Applied:
    """Which runs count as success now that didn't, and which don't any more."""

    gained: tuple[int, ...] = ()
    lost: tuple[int, ...] = ()


def apply_overrides(
    db: Session,
    run_ids: Collection[int],
    *,
    acted_at: datetime | None = None,
    is_new: bool = False,
    without: int | None = None,
) -> Applied:
    """Give these runs the overrides of their time, and take away what doesn't hold any more. Harmless to repeat.

    `acted_at` is when a person did what changes them; nobody has seen those that are `is_new`; `without` is an override
    that is to hold no more. A run that was reviewed while it counted as success, and doesn't any more, is to be
    reviewed again.
    """
    gained: list[int] = []
    lost: list[int] = []
    ordered = sorted(run_ids)
    for start in range(0, len(ordered), _BATCH):
        batch = _Batch.of(db, ordered[start : start + _BATCH], without=without)
        _take_away(db, batch.lost, acted_at=acted_at)
        _give(db, batch.changed, acted_at=acted_at, is_new=is_new)
        gained += batch.gained
        lost += batch.lost
    return Applied(gained=tuple(gained), lost=tuple(lost))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Batch:
    """What some runs have (the override of each), and what they are to have."""

    held: Mapping[int, int]
    marked: frozenset[int]
    found: _Found

    @classmethod
    def of(cls, db: Session, run_ids: Sequence[int], *, without: int | None) -> "_Batch":
        asked = db.execute(_asked(run_ids)).all()
        marked = frozenset(row.id for row in asked if row.is_marked and row.override_id != without)
        return cls(
            held={row.id: row.override_id for row in asked if row.override_id is not None},
            marked=marked,
            found=_covered(db, [row.id for row in asked if row.id not in marked], without=without),
        )

    @property
    def lost(self) -> list[int]:
        return [run_id for run_id in self.held if run_id not in self.found and run_id not in self.marked]

    @property
    def gained(self) -> list[int]:
        return [run_id for run_id in self.found if run_id not in self.held]

    @property
    def changed(self) -> _Found:
        return {
            run_id: found for run_id, found in self.found.items() if self.held.get(run_id) != found[1].shown.override_id
        }


def _asked(run_ids: Sequence[int]) -> Select[*tuple[Any, ...]]:
    """Return the query of those of the runs that have an override, or may have one; it locks them as a review does."""
    may_be = may_be_overridden(JobRun.job_id, JobRun.status, JobRun.run_at)
    is_mark = and_(Override.level == OverrideLevel.RUN, JobRun.reviewed_at.is_not(None), is_troubled())
    return (
        select(JobRun.id, JobRun.override_id, func.coalesce(is_mark, False).label("is_marked"))
        .outerjoin(Override, Override.id == JobRun.override_id)
        .where(JobRun.id.in_(run_ids), or_(JobRun.override_id.is_not(None), may_be))
        .order_by(JobRun.id)
        .with_for_update(of=JobRun, key_share=True)
    )


def _covered(db: Session, run_ids: Sequence[int], *, without: int | None) -> _Found:
    if not run_ids:
        return {}
    runs = as_troubled(db, db.execute(select_troubled().where(JobRun.id.in_(run_ids))).all())
    rules = rules_about(db, {(run.job_id, run.software, run.backup_type) for run in runs}) if runs else []
    kept = [rule for rule in rules if rule.override_id != without]
    found = ((run, covering(run, kept)) for run in runs)
    return {run.run_id: (run, cover) for run, cover in found if cover is not None}


def _take_away(db: Session, run_ids: Sequence[int], *, acted_at: datetime | None) -> None:
    if not run_ids:
        return
    is_recent = true() if acted_at is None else JobRun.run_at > acted_at - REOPENED
    seen_as_success = and_(JobRun.status.not_in(GOOD), JobRun.reviewed_at >= JobRun.overridden_at, is_recent)
    reviewed = {
        name: case((seen_as_success, None), else_=getattr(JobRun, name))
        for name in ("reviewed_at", "reviewed_by", "review_id")
    }
    db.execute(
        update(JobRun)
        .where(JobRun.id.in_(run_ids))
        .values(override_id=None, overridden_at=None, verdict_version=JobRun.verdict_version + 1, **reviewed)
        .execution_options(synchronize_session="fetch")
    )


def _give(db: Session, found: _Found, *, acted_at: datetime | None, is_new: bool) -> None:
    """Let the runs show their overrides. One that had another counts as success since it had that."""
    by_override: dict[int, list[int]] = defaultdict(list)
    for run_id, (_, cover) in found.items():
        by_override[cover.shown.override_id].append(run_id)
    for override_id, run_ids in by_override.items():
        db.execute(
            update(JobRun)
            .where(JobRun.id.in_(run_ids))
            .values(
                override_id=override_id,
                overridden_at=func.coalesce(JobRun.overridden_at, acted_at or JobRun.run_at),
                verdict_version=JobRun.verdict_version + (0 if is_new else 1),
            )
            .execution_options(synchronize_session="fetch")
        )
    _count_hits(db, found)


def _count_hits(db: Session, found: _Found) -> None:
    if not found:
        return
    hits = Counter(rule.override_id for _, cover in found.values() for rule in cover.rules)
    last = {rule.override_id: run.at for run, cover in _by_time(found) for rule in cover.rules}
    db.execute(_ONE_AT_A_TIME)
    for override_id in sorted(hits):
        values = {
            "hits": Override.hits + hits[override_id],
            "last_hit_at": func.greatest(Override.last_hit_at, last[override_id]),
        }
        db.execute(update(Override).where(Override.id == override_id).values(values))


def _by_time(found: _Found) -> list[tuple[TroubledRun, Covered]]:
    return sorted(found.values(), key=lambda each: each[0].at)
