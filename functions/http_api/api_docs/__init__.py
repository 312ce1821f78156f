"""What scripts can call: the OpenAPI document of everything under /api, and a page that shows it."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from fastapi.openapi.utils import get_openapi
from fastapi.responses import HTMLResponse

from functions.http_api.deps import CurrentUser, require
from functions.http_api.rendering import page
from shared.domain.permissions import Right

router = APIRouter(prefix="/api", include_in_schema=False)
Reader = Annotated[CurrentUser, require(Right.READ_DOCUMENTATION)]


@router.get("/openapi.json")
def openapi(request: Request, user: Reader) -> dict[str, Any]:
    return _document(request)


@router.get("/docs")
def docs(request: Request, user: Reader) -> HTMLResponse:
    document = _document(request)
    calls = [
        (method.upper(), path, call)
        for path, methods in sorted(document.get("paths", {}).items())
        for method, call in methods.items()
    ]
    return page(request, "api_docs/docs.html", calls=calls, description=document["info"]["description"])


def _document(request: Request) -> dict[str, Any]:
    """Describe the API; pages are for people and stay out."""
    app = request.app
    whole = get_openapi(title=app.title, version="1", description=app.description, routes=app.routes)
    whole["paths"] = {path: calls for path, calls in whole["paths"].items() if path.startswith(("/api/", "/health"))}
    return whole
