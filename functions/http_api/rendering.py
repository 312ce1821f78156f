"""One Jinja environment for all pages. Templates are named by their path here: `inbox/list.html`."""

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context, select_autoescape
from jinja2.runtime import Context
from markupsafe import Markup
from sqlalchemy.orm import Session

from functions.http_api import banners, formats, nav
from functions.http_api.assets import asset
from functions.http_api.cookies import TOAST, drop_cookie
from functions.http_api.csrf import masked
from functions.http_api.deps import CurrentUser
from functions.http_api.toasts import waiting_toast
from shared import clock
from shared.settings import settings

ICONS = "vendor/bootstrap-icons.svg"


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:  # noqa: ANN401
    """Return a page, or a part of one for htmx: a template that does not extend `layout/base.html`."""
    toast = waiting_toast(request)
    shown = _shell(request) | {"toast": toast} | context
    shown["csrf_token"] = masked(shown["csrf_token"])
    text = _environment.get_template(template).render(shown)
    response = HTMLResponse(text, status_code=status)
    if toast is not None:
        drop_cookie(request, response, TOAST)
    return response


def _shell(request: Request) -> dict[str, Any]:
    user: CurrentUser | None = getattr(request.state, "user", None)
    paths: frozenset[str] = getattr(request.app.state, "paths", frozenset())
    return {
        "request": request,
        "path": request.url.path,
        "user": user,
        "csrf_token": user.csrf_token if user else "",
        "nonce": getattr(request.state, "nonce", ""),
        "now": clock.now(),
        "zone": formats.ui_zone(),
        "nav_items": nav.items_for(user, paths) if user else [],
        "nav_counts": _counts_reader(request, user),
        "is_production": settings().is_production,
        "banners": _banners_reader(request, user),
    }


def _counts_reader(request: Request, user: CurrentUser | None) -> Callable[[], nav.NavCounts]:
    def read() -> nav.NavCounts:
        db = _usable_session(request)
        return nav.counts_for(db, user) if user and db else nav.NavCounts()

    return read


def _banners_reader(request: Request, user: CurrentUser | None) -> Callable[[], list[banners.Banner]]:
    def read() -> list[banners.Banner]:
        db = _usable_session(request)
        return banners.banners_for(db, user, now=clock.now()) if user and db else []

    return read


def _usable_session(request: Request) -> Session | None:
    """Return the request's session. Only full pages ask, and none that tells of an error of the database itself."""
    db = getattr(request.state, "db", None)
    return db if isinstance(db, Session) and db.is_active and db.in_transaction() else None


def icon(name: str, label: str = "") -> Markup:
    """Return an icon by its name in Bootstrap Icons; write that name in quotes, or the build leaves it out.

    With a label the icon speaks for itself, else it is decoration beside a word.
    """
    return _icon(asset(ICONS), name, label)


@lru_cache(maxsize=512)  # a list shows the same few thousands of times
def _icon(sprite: str, name: str, label: str) -> Markup:
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {} width="16" height="16"><use href="{}#{}"></use></svg>').format(
        spoken, sprite, name
    )


@pass_context
def csrf_field(context: Context) -> Markup:
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(context["csrf_token"])


def _new_environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=select_autoescape(default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "when": formats.when,
        "full_time": formats.full_time,
        "duration": formats.duration,
        "filesize": formats.filesize,
        "plural": formats.plural,
    }
    environment.globals |= {"asset": asset, "icon": icon, "csrf_field": csrf_field}
    return environment


_environment = _new_environment()
