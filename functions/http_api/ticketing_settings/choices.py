"""Fetches the choices of the tenant on request. What stands in the form stays there."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from functions.http_api.autotask import NoAnswer, another_transaction, asking_autotask
from functions.http_api.deps import Db
from functions.http_api.formats import plural
from functions.http_api.refusals import is_htmx
from functions.http_api.rendering import page
from functions.http_api.ticketing_settings.asked import PATH, Keeper, Typed
from functions.http_api.ticketing_settings.view import shown
from functions.http_api.toasts import redirect
from shared import clock
from shared.queries.ticketing_settings import ticketing_settings
from shared.services.refresh_choices import refresh_choices

router = APIRouter(prefix="/choices")


@router.post("")
def refresh(request: Request, db: Db, user: Keeper, typed: Annotated[Typed, Depends()]) -> Response:
    said, trouble = "", ""
    try:
        with asking_autotask(db) as provider:
            said = f"Fetched {plural(refresh_choices(provider, now=clock.now()), 'choice')}."
    except NoAnswer as problem:
        trouble = str(problem)
    if not is_htmx(request):
        return redirect(request, PATH, toast=said or trouble)
    with another_transaction(request) as after:
        form = typed if typed.provider else ticketing_settings(after)
        context = shown(after, form, choices_said=said, choices_trouble=trouble)
        return page(request, "ticketing_settings/refreshed.html", **context)
