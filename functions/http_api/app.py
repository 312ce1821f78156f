"""The web app. Screens are found by looking: every package beside this file that has a `router` is part of it."""

import importlib
import pkgutil
from collections.abc import Iterator
from functools import partial

from fastapi import APIRouter, FastAPI
from fastapi.routing import RouteContext, iter_route_contexts

from functions import http_api
from functions.http_api import assets, refusals
from functions.http_api.compression import Compress
from functions.http_api.middleware import AnswerOptions, BodyLimit, LastResort, SafeHeaders, TidyRequest


def create_app() -> FastAPI:
    app = FastAPI(
        title="Backupchecks",
        description="What backups reported, and what never ran.",
        docs_url=None,  # both stand behind the sign-in, in api_docs/
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.include_router(assets.router)
    for router in _screens():
        app.include_router(router)
    app.state.paths = frozenset(route.path for route in all_routes(app) if route.path)
    refusals.install(app)
    # The last one added is the outermost.
    app.add_middleware(BodyLimit, answer=refusals.refuse)
    app.add_middleware(AnswerOptions, methods_of=partial(_methods_of, app))
    app.add_middleware(LastResort, failed=refusals.failed)
    app.add_middleware(Compress)
    app.add_middleware(SafeHeaders)
    app.add_middleware(TidyRequest)
    return app


def all_routes(app: FastAPI) -> list[RouteContext]:
    return list(iter_route_contexts(app.routes))


def _screens() -> Iterator[APIRouter]:
    for found in pkgutil.iter_modules(http_api.__path__):
        if found.ispkg:
            screen = importlib.import_module(f"{http_api.__name__}.{found.name}")
            if isinstance(router := getattr(screen, "router", None), APIRouter):
                yield router


def _methods_of(app: FastAPI, path: str) -> set[str]:
    found: set[str] = set()
    for route in all_routes(app):
        if route.path_regex.match(path):
            found |= route.methods or set()
    if "GET" in found:
        found.add("HEAD")
    return found | {"OPTIONS"} if found else found


app = create_app()
