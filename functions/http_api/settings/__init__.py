"""The settings of the installation: those that belong nowhere else, and the way to the others."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse

from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right
from shared.queries.general_settings import general_settings
from shared.services.edit_customer import time_zones
from shared.services.edit_settings import UnfitSettings, edit_sandbox, edit_time_zone

PATH = "/manage/settings"
router = APIRouter(prefix=PATH, include_in_schema=False)
Keeper = Annotated[CurrentUser, require(Right.MANAGE_SETTINGS)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """What stands in the form; an unticked box sends nothing."""

    ui_time_zone: Annotated[str, Form()] = ""
    is_sandbox: Annotated[bool, Form()] = False


@router.get("")
def settings_page(request: Request, db: Db, user: Keeper) -> HTMLResponse:
    kept = general_settings(db)
    return _page(request, Typed(ui_time_zone=kept.ui_time_zone, is_sandbox=kept.is_sandbox))


@router.post("")
def save(request: Request, db: Db, user: Keeper, typed: Annotated[Typed, Depends()]) -> Response:
    now = clock.now()
    try:
        changed = edit_time_zone(db, typed.ui_time_zone, actor=user.actor, now=now)
    except UnfitSettings as problem:
        return _page(request, typed, errors=problem.errors, status=422)
    changed |= edit_sandbox(db, on=typed.is_sandbox, actor=user.actor, now=now)
    return redirect(request, PATH, toast="Settings saved." if changed else "Nothing was changed.")


def _page(
    request: Request, typed: Typed, *, errors: Mapping[str, str] | None = None, status: int = 200
) -> HTMLResponse:
    zones = sorted(name for name in time_zones() if "/" in name and not name.startswith("Etc/"))
    return page(request, "settings/settings.html", status=status, typed=typed, errors=errors or {}, zones=zones)
