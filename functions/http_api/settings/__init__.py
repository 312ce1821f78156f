"""The settings of the installation: those that belong nowhere else, and the way to the others."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from functions.http_api import formats
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right
from shared.services.edit_customer import time_zones
from shared.services.edit_settings import UnfitSettings, edit_time_zone

PATH = "/manage/settings"
router = APIRouter(prefix=PATH, include_in_schema=False)
Keeper = Annotated[CurrentUser, require(Right.MANAGE_SETTINGS)]


@router.get("")
def settings_page(request: Request, db: Db, user: Keeper) -> HTMLResponse:
    return _page(request, typed=formats.ui_zone().key)


@router.post("")
def save(request: Request, db: Db, user: Keeper, ui_time_zone: Annotated[str, Form()] = "") -> Response:
    try:
        changed = edit_time_zone(db, ui_time_zone, actor=user.actor, now=clock.now())
    except UnfitSettings as problem:
        return _page(request, typed=ui_time_zone, errors=problem.errors, status=422)
    return redirect(request, PATH, toast="Settings saved." if changed else "Nothing was changed.")


def _page(request: Request, *, typed: str, errors: Mapping[str, str] | None = None, status: int = 200) -> HTMLResponse:
    zones = sorted(name for name in time_zones() if "/" in name and not name.startswith("Etc/"))
    return page(request, "settings/settings.html", status=status, typed=typed, errors=errors or {}, zones=zones)
