"""Whether causes were grouped last time, for an address that says nothing about it."""

from dataclasses import replace
from datetime import timedelta

from fastapi import Request, Response

from functions.http_api.cookies import drop_cookie, put_cookie, read_cookie
from functions.http_api.run_checks.here import Here

COOKIE = "bc_causes"
FOR = timedelta(days=365)


def as_last_time(request: Request, here: Here) -> Here:
    """Return what is to be shown. The form says all: there, a box that is not ticked is left out."""
    says_it = "causes" in request.query_params or "q" in request.query_params
    return here if says_it or not _was_grouped(request) else replace(here, causes=True)


def remember(request: Request, answer: Response, here: Here) -> None:
    if here.causes and not _was_grouped(request):
        put_cookie(request, answer, COOKIE, "1", max_age=int(FOR.total_seconds()))
    elif not here.causes and _was_grouped(request):
        drop_cookie(request, answer, COOKIE)


def _was_grouped(request: Request) -> bool:
    return read_cookie(request, COOKIE) == "1"
