"""What the page of Run Checks and its panel show."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from markupsafe import Markup
from sqlalchemy.orm import Session

from functions.http_api.deps import CurrentUser
from functions.http_api.formats import when
from functions.http_api.mail_source import mail_source, source_name
from functions.http_api.run_checks import words
from functions.http_api.run_checks.here import Here, start_of_today
from functions.http_api.runs.view import REASONS, RunView, run_view
from shared.domain.permissions import Right
from shared.domain.status import Status
from shared.queries.cause_rows import CauseRow
from shared.queries.inbox import waiting_count
from shared.queries.jobs import not_protected_count
from shared.queries.not_judged import NotJudged, not_judged
from shared.queries.pipeline import import_state
from shared.queries.reviewed import done_since
from shared.queries.run_checks import RunChecks, choices, run_checks
from shared.queries.run_checks_rows import Filters, JobRow
from shared.queries.run_panel import run_panel
from shared.queries.runs_beside import newest_run_to_show
from shared.queries.silence_rows import SilenceRow
from shared.services.errors import NotFound


@dataclass(frozen=True, kw_only=True, slots=True)
class Held:
    """How many jobs are not judged, and why; `href` leads to the details."""

    jobs: int
    why: str
    href: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Neighbours:
    """Where a job stands in the list, and which jobs are next to it."""

    place: int
    total: int
    previous: int | None
    following: int | None


def filters_for(here: Here, user: CurrentUser, now: datetime) -> Filters:
    return here.filters(now, may_see_reviewed=user.may(Right.INCLUDE_REVIEWED))


def list_context(db: Session, here: Here, *, user: CurrentUser, now: datetime) -> dict[str, Any]:
    """Return what the template of the page needs."""
    found = run_checks(db, filters_for(here, user, now), now=now, by_cause=here.causes)
    choice = choices(db)
    return {
        "here": here,
        "found": found,
        "held": _held(db, user, now),
        "words": words,
        "customers": choice.customers,
        "softwares": choice.softwares,
        "statuses": list(Status),
        "reasons": REASONS,
        "may_include_reviewed": user.may(Right.INCLUDE_REVIEWED),
        "may_ticket": user.may(Right.EDIT_TICKETS),
        "may_mark": user.may(Right.MARK_AS_SUCCESS),
        "run_link": here.run_links(here.panel),
        **(_nothing_left(db, now) if not found.shown else {}),
        "view": panel_view(db, here.panel, here.run, user=user, now=now) if here.panel else None,
        "neighbours": _neighbours(found, here),
    }


def panel_view(db: Session, job_id: int, run_id: int | None, *, user: CurrentUser, now: datetime) -> RunView:
    """Return the run of a job that was asked for, else the one to look at first. Raise NotFound."""
    shown = run_id or newest_run_to_show(db, job_id)
    panel = run_panel(db, shown) if shown else None
    if panel is None or panel.job_id != job_id:
        raise NotFound("This run doesn't exist (any more). Go back to Run Checks.")
    return run_view(db, panel, user=user, now=now)


def _nothing_left(db: Session, now: datetime) -> dict[str, Any]:
    """Return today's figures, and how much waits on the pages where one goes from here."""
    waiting = {"/not-protected": not_protected_count(db), "/inbox": waiting_count(db)}
    return {"done": done_since(db, start_of_today(now)), "next_counts": waiting}


def _held(db: Session, user: CurrentUser, now: datetime) -> Held:
    waiting = not_judged(db, now=now)
    href = "/manage/pipeline" if user.may(Right.MAINTAIN) else ""
    return Held(jobs=waiting.jobs, why=_why_not_judged(db, waiting, now), href=href)


def _why_not_judged(db: Session, waiting: NotJudged, now: datetime) -> str:
    if waiting.mails_until is None:
        return "a mail in the inbox may be their run"
    read_until = import_state(db, mail_source()).covered_until
    if read_until is None:
        return f"the {source_name()} has never been read to its end"
    if read_until <= waiting.mails_until:
        return Markup("the {} has not been read since {}").format(source_name(), when(read_until, now))
    return "it is not known yet whether all of their mails are in"


def _neighbours(found: RunChecks, here: Here) -> Neighbours | None:
    rows = [*_shown_jobs(found, here), *(found.clean if here.clean else ())]
    ids = list(dict.fromkeys(row.job_id for row in rows))
    if here.panel not in ids:
        return None
    at = ids.index(here.panel)
    return Neighbours(
        place=at + 1,
        total=len(ids),
        previous=ids[at - 1] if at else None,
        following=ids[at + 1] if at + 1 < len(ids) else None,
    )


def _shown_jobs(found: RunChecks, here: Here) -> Iterator[JobRow]:
    """Yield the rows of jobs, those under another row only where they are unfolded."""
    for row in found.rows:
        if isinstance(row, JobRow):
            yield row
        elif is_unfolded(row, here):
            yield from row.members


def is_unfolded(row: SilenceRow | CauseRow, here: Here) -> bool:
    return row.key == here.cause if isinstance(row, CauseRow) else row.silence.silence_id == here.silence
