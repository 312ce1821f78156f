"""Shows what a ticket would say, while its templates are typed. Keeps nothing and asks nobody."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from functions.http_api.deps import Db
from functions.http_api.rendering import page
from functions.http_api.ticketing_settings.asked import Keeper, Typed
from functions.http_api.ticketing_settings.view import preview_of

router = APIRouter(prefix="/preview")


@router.post("")
def preview(request: Request, db: Db, user: Keeper, typed: Annotated[Typed, Depends()]) -> HTMLResponse:
    shown = preview_of(db, typed.title_template, typed.description_template)
    return page(request, "ticketing_settings/preview.html", preview=shown)
