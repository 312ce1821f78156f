"""Overrides as their page lists them, and one of them with the runs that count as success by it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session, aliased

from shared.domain.override_words import MatchMode, OverrideLevel
from shared.domain.status import Status
from shared.models.customers import Customer
from shared.models.jobs import Job, JobRun
from shared.models.overrides import Override
from shared.models.users import User
from shared.queries.rows import PAGE_SIZE, Page, contains, existing_page

UNUSED_AFTER = timedelta(days=60)


class OverrideTab(StrEnum):
    """Which overrides are listed. Unused ones are active, too; marks are about single runs."""

    ACTIVE = "active"
    UNUSED = "unused"
    ENDED = "ended"
    MARKS = "marks"


@dataclass(frozen=True, kw_only=True, slots=True)
class OverrideFilters:
    """What the list is narrowed to; empty parts don't narrow."""

    text: str = ""
    level: OverrideLevel | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class OverrideRow:
    """One override; `is_over` when it is about no run that comes from now on."""

    override_id: int
    level: OverrideLevel
    customer_id: int | None
    customer: str | None
    job_id: int | None
    job_name: str | None
    object_name: str | None
    software: str | None
    backup_type: str | None
    status: Status | None
    match_mode: MatchMode
    match_text: str
    covers_failed: bool
    covers_missed: bool
    covers_unreadable: bool
    starts_at: datetime
    ends_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    reason: str
    made_by: str
    created_at: datetime
    hits: int
    last_hit_at: datetime | None
    is_over: bool
    is_unused: bool

    @property
    def is_mark(self) -> bool:
        return self.level is OverrideLevel.RUN

    @property
    def is_global(self) -> bool:
        return self.level is OverrideLevel.GLOBAL

    @property
    def last_moment(self) -> datetime | None:
        """The end as people say it: the last day, not the midnight after."""
        return self.ends_at - timedelta(minutes=1) if self.ends_at else None

    @property
    def looks_back(self) -> bool:
        """Whether it is also about runs that came before it."""
        return self.starts_at < self.created_at


def overrides(
    db: Session, tab: OverrideTab, filters: OverrideFilters, page: int, *, now: datetime
) -> Page[OverrideRow]:
    """Return one page of overrides: those that end next first, what is over newest first."""
    conditions = [_of_tab(tab, now), *_narrowed(filters)]
    total = db.scalar(_joined(select(func.count(Override.id))).where(*conditions)) or 0
    number = existing_page(page, total)
    soonest = Override.ends_at.asc() if tab in (OverrideTab.ACTIVE, OverrideTab.UNUSED) else Override.created_at.desc()
    query = _rows(now).where(*conditions).order_by(soonest, Override.id.desc())
    found = db.execute(query.limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE)).all()
    return Page(rows=tuple(OverrideRow(**row._asdict()) for row in found), number=number, total=total)


def override_counts(db: Session, *, now: datetime) -> dict[OverrideTab, int]:
    """Return how many overrides each tab has."""
    counted = select(*(func.count().filter(_of_tab(tab, now)) for tab in OverrideTab)).select_from(Override)
    return dict(zip(OverrideTab, db.execute(counted).one(), strict=True))


def override_detail(db: Session, override_id: int, *, now: datetime) -> OverrideRow | None:
    row = db.execute(_rows(now).where(Override.id == override_id)).one_or_none()
    return OverrideRow(**row._asdict()) if row else None


@dataclass(frozen=True, kw_only=True, slots=True)
class OverriddenRun:
    """A run that counts as success, with the verdict itself."""

    run_id: int
    run_at: datetime
    customer: str
    job_name: str
    status: Status
    message: str


def overridden_runs(db: Session, override_id: int, page: int) -> Page[OverriddenRun]:
    """Return one page of the runs that show this override, newest first."""
    total = db.scalar(select(func.count()).where(JobRun.override_id == override_id)) or 0
    number = existing_page(page, total)
    found = db.execute(
        select(
            JobRun.id.label("run_id"),
            JobRun.run_at,
            Customer.name.label("customer"),
            Job.job_name,
            JobRun.status,
            func.left(JobRun.message, 300).label("message"),
        )
        .join(Job, Job.id == JobRun.job_id)
        .join(Customer, Customer.id == Job.customer_id)
        .where(JobRun.override_id == override_id)
        .order_by(JobRun.run_at.desc(), JobRun.id.desc())
        .limit(PAGE_SIZE)
        .offset((number - 1) * PAGE_SIZE)
    )
    return Page(rows=tuple(OverriddenRun(**row._asdict()) for row in found), number=number, total=total)


def _rows(now: datetime) -> Select[*tuple[Any, ...]]:
    return _joined(
        select(
            Override.id.label("override_id"),
            Override.level,
            Customer.id.label("customer_id"),
            Customer.name.label("customer"),
            Override.job_id,
            Job.job_name,
            Override.object_name,
            Override.backup_software.label("software"),
            Override.backup_type,
            Override.status,
            Override.match_mode,
            Override.match_text,
            Override.covers_failed,
            Override.covers_missed,
            Override.covers_unreadable,
            Override.starts_at,
            Override.ends_at,
            Override.ended_at,
            _shown(_ender).label("ended_by"),
            Override.reason,
            _shown(_maker).label("made_by"),
            Override.created_at,
            Override.hits,
            Override.last_hit_at,
            func.coalesce(_is_over(now), False).label("is_over"),
            func.coalesce(_of_tab(OverrideTab.UNUSED, now), False).label("is_unused"),
        )
    )


_maker, _ender = aliased(User), aliased(User)


def _shown(user: Any) -> ColumnElement[str]:  # noqa: ANN401 -- an alias
    return func.coalesce(func.nullif(user.display_name, ""), user.username)


def _joined(query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return (
        query.select_from(Override)
        .join(_maker, _maker.id == Override.created_by)
        .outerjoin(_ender, _ender.id == Override.ended_by)
        .outerjoin(Job, Job.id == Override.job_id)
        .outerjoin(Customer, Customer.id == Job.customer_id)
    )


def _is_over(now: datetime) -> ColumnElement[bool]:
    return or_(Override.ended_at.is_not(None), Override.ends_at <= now)


def _of_tab(tab: OverrideTab, now: datetime) -> ColumnElement[bool]:
    is_mark = Override.level == OverrideLevel.RUN
    is_active = and_(~is_mark, Override.ended_at.is_(None), Override.ends_at > now)
    last_use = func.greatest(Override.created_at, Override.starts_at, Override.last_hit_at)
    match tab:
        case OverrideTab.ACTIVE:
            return is_active
        case OverrideTab.UNUSED:
            return and_(is_active, last_use < now - UNUSED_AFTER)
        case OverrideTab.ENDED:
            return and_(~is_mark, _is_over(now))
        case OverrideTab.MARKS:
            return is_mark


def _narrowed(filters: OverrideFilters) -> list[ColumnElement[bool]]:
    searched = tuple(
        func.coalesce(column, "")
        for column in (
            Override.reason,
            Override.match_text,
            Override.object_name,
            Override.backup_software,
            Customer.name,
            Job.job_name,
        )
    )
    words: list[ColumnElement[bool]] = [contains(word, *searched) for word in filters.text.split()]
    return [*words, Override.level == filters.level] if filters.level else words
