"""A person says that many companies are gone, which nobody believes of Autotask."""

from fastapi import APIRouter, Request, Response

from functions.http_api.autotask import NoAnswer, asking_autotask
from functions.http_api.deps import Db
from functions.http_api.formats import plural
from functions.http_api.ticketing_settings.asked import PATH, Keeper
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.ticket import MappingState
from shared.services.check_mappings import check_mappings

router = APIRouter(prefix="/companies-are-gone")


@router.post("")
def believe(request: Request, db: Db, user: Keeper) -> Response:
    try:
        with asking_autotask(db) as provider:
            found = check_mappings(provider, now=clock.now(), so_says=user.actor)
    except NoAnswer as problem:
        return redirect(request, PATH, toast=str(problem))
    missing = found.states.get(MappingState.MISSING, 0)
    toast = f"Looked at {plural(found.total, 'company', 'companies')}: {missing:,} missing."
    return redirect(request, PATH, toast=toast)
