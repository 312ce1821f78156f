"""Objects that vanished from a run's report: the first few for the run's page, and all of them page by page."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from shared.models.jobs import VanishedObject
from shared.models.users import User
from shared.queries.rows import PAGE_SIZE, Page, existing_page

MOST_SHOWN = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """An object that vanished; confirmed as removed by `confirmed_by`, or still open."""

    name: str
    type: str
    confirmed_by: str | None
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Findings:
    """How many objects vanished, how many of them nobody has confirmed, and the first, open ones first."""

    total: int
    open: int
    shown: tuple[Finding, ...]

    @property
    def is_cut(self) -> bool:
        return self.total > len(self.shown)


def first_findings(db: Session, run_id: int) -> Findings:
    total, still_open = db.execute(
        select(func.count(), func.count().filter(VanishedObject.confirmed_at.is_(None))).where(
            VanishedObject.run_id == run_id
        )
    ).one()
    shown = db.execute(_findings(run_id).limit(MOST_SHOWN)) if total else ()
    return Findings(total=total, open=still_open, shown=tuple(Finding(**row._asdict()) for row in shown))


def findings_of(db: Session, run_id: int, page: int) -> Page[Finding]:
    """Return one page of the objects that vanished from a run."""
    total = db.scalar(select(func.count()).where(VanishedObject.run_id == run_id)) or 0
    number = existing_page(page, total)
    found = db.execute(_findings(run_id).limit(PAGE_SIZE).offset((number - 1) * PAGE_SIZE))
    return Page(rows=tuple(Finding(**row._asdict()) for row in found), number=number, total=total)


def _findings(run_id: int) -> Select[*tuple[Any, ...]]:
    return (
        select(
            VanishedObject.name,
            VanishedObject.type,
            func.coalesce(func.nullif(User.display_name, ""), User.username).label("confirmed_by"),
            VanishedObject.reason,
        )
        .outerjoin(User, User.id == VanishedObject.confirmed_by)
        .where(VanishedObject.run_id == run_id)
        .order_by(VanishedObject.confirmed_at.is_not(None), VanishedObject.name, VanishedObject.id)
    )
