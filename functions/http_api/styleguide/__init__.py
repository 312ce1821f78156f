"""Every piece of the pages in every state, for those who build them. Not part of production."""

from typing import Annotated

from fastapi import APIRouter, Request, Response

from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from shared import clock
from shared.domain.permissions import Right
from shared.queries.rows import Page
from shared.services.errors import NotFound
from shared.settings import settings

router = APIRouter(prefix="/manage/styleguide", include_in_schema=False)


@router.get("")
def styleguide(request: Request, db: Db, user: Annotated[CurrentUser, require(Right.MANAGE_SETTINGS)]) -> Response:
    if settings().is_production:
        raise NotFound("There is no style guide in production.")
    return page(
        request,
        "styleguide/styleguide.html",
        moment=clock.now(),
        sample=Page(rows=tuple(range(50)), number=2, total=230),
    )
