"""The parsers page: which mails can be read, told by the parsers themselves."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from shared import clock
from shared.domain.permissions import Right
from shared.queries.parsers_page import parsers_page

router = APIRouter(prefix="/parsers", include_in_schema=False)

LANGUAGES = {"en": "English", "nl": "Dutch", "de": "German", "fr": "French"}


@router.get("")
def parsers(request: Request, db: Db, user: Annotated[CurrentUser, require(Right.SEE_PARSERS)]) -> HTMLResponse:
    found = parsers_page(db, clock.now())
    return page(request, "parsers_page/list.html", parsers=found, languages=LANGUAGES)
