"""The address without a page: sends everybody where he begins."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse

from functions.http_api.deps import Visitor
from functions.http_api.nav import start_page

router = APIRouter(include_in_schema=False)


@router.get("/")
def start(request: Request, visitor: Visitor) -> RedirectResponse:
    target = "/login" if visitor is None else start_page(visitor, request.app.state.paths)
    return RedirectResponse(target, 303)
