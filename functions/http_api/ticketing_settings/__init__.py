"""The settings of tickets: who keeps them, what Autotask makes of them, and whether it can be reached."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse

from functions.http_api.deps import Db
from functions.http_api.rendering import page
from functions.http_api.ticketing_settings import check, choices, companies, preview
from functions.http_api.ticketing_settings.asked import PATH, Keeper, Typed
from functions.http_api.ticketing_settings.view import shown
from functions.http_api.toasts import redirect
from shared import clock
from shared.queries.ticketing_settings import ticketing_settings
from shared.services.edit_settings import UnfitSettings
from shared.services.ticketing_settings import edit_ticketing_settings

router = APIRouter(prefix=PATH, include_in_schema=False)


@router.get("")
def ticketing_settings_page(request: Request, db: Db, user: Keeper) -> HTMLResponse:
    return page(request, "ticketing_settings/autotask.html", **shown(db, ticketing_settings(db)))


@router.post("")
def save(request: Request, db: Db, user: Keeper, typed: Annotated[Typed, Depends()]) -> Response:
    try:
        changed = edit_ticketing_settings(db, typed.settings, actor=user.actor, now=clock.now())
    except UnfitSettings as problem:
        context = shown(db, typed, errors=problem.errors, problem=str(problem))
        return page(request, "ticketing_settings/autotask.html", status=422, **context)
    return redirect(request, PATH, toast="Settings saved." if changed else "Nothing was changed.")


for part in (check, choices, companies, preview):
    router.include_router(part.router)
