"""The settings of schedules and missed runs: when silence counts, and since when anything does."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse

from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import plural
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right
from shared.queries.schedule_settings import schedule_settings
from shared.services.edit_settings import TypedScheduleSettings, UnfitSettings, edit_schedule_settings
from shared.services.mark_history import Marked

PATH = "/manage/settings/schedules"
router = APIRouter(prefix=PATH, include_in_schema=False)
Keeper = Annotated[CurrentUser, require(Right.MANAGE_SETTINGS)]

_SILENCE = "The maximum silence of each job is worked out anew when the job is learned again, within a day."
FOLLOWS: Mapping[str, str] = {
    "grace_floor_minutes": "Jobs take the new grace over when they are learned again, within a day. "
    "Days that have begun, and a grace that somebody set for a job, stay.",
    "missed_look_back_days": "The next look at the jobs, within ten minutes, reaches that far back. "
    "What was judged stays judged.",
    "overdue_days": "Devices that sleep are measured by it at the next look, within ten minutes.",
    "stopped_after_days": "It counts from the next missed slot of each job. Jobs that stopped before stay so until "
    "they run again.",
    "silence_factor": _SILENCE,
    "silence_min_days": _SILENCE,
    "silence_max_days": _SILENCE,
    "go_live_on": "Runs before that day are history: they teach schedules, and need no review. Customers with a date "
    "of their own keep it.",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """What stands in the form."""

    grace_floor_minutes: Annotated[str, Form()] = ""
    missed_look_back_days: Annotated[str, Form()] = ""
    overdue_days: Annotated[str, Form()] = ""
    stopped_after_days: Annotated[str, Form()] = ""
    silence_factor: Annotated[str, Form()] = ""
    silence_min_days: Annotated[str, Form()] = ""
    silence_max_days: Annotated[str, Form()] = ""
    go_live_on: Annotated[str, Form()] = ""

    @property
    def settings(self) -> TypedScheduleSettings:
        fields = TypedScheduleSettings.__dataclass_fields__
        return TypedScheduleSettings(**{field: getattr(self, field) for field in fields})


@router.get("")
def schedule_settings_page(request: Request, db: Db, user: Keeper, changed: str = "") -> HTMLResponse:
    follows = dict.fromkeys(FOLLOWS[field] for field in changed.split(",") if field in FOLLOWS)
    return _page(request, schedule_settings(db), follows=list(follows))


@router.post("")
def save(request: Request, db: Db, user: Keeper, typed: Annotated[Typed, Depends()]) -> Response:
    try:
        changed = edit_schedule_settings(db, typed.settings, actor=user.actor, now=clock.now())
    except UnfitSettings as problem:
        return _page(request, typed, problem=problem)
    if not changed.fields:
        return redirect(request, PATH, toast="Nothing was changed.")
    query = urlencode({"changed": ",".join(field for field in FOLLOWS if field in changed.fields)})
    return redirect(request, f"{PATH}?{query}", toast=f"Settings saved.{_said_of(changed.marked)}")


def _said_of(marked: Marked | None) -> str:
    if marked is None:
        return ""
    settled = f" {plural(marked.settled, 'run')} before going live left the reviews." if marked.settled else ""
    return settled + (f" {plural(marked.waiting, 'run')} came back to them." if marked.waiting else "")


def _page(
    request: Request, shown: object, *, follows: list[str] | None = None, problem: UnfitSettings | None = None
) -> HTMLResponse:
    return page(
        request,
        "schedule_settings/schedules.html",
        status=422 if problem else 200,
        typed=shown,
        follows=follows or [],
        errors=problem.errors if problem else {},
        problem=str(problem) if problem else "",
    )
