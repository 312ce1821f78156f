"""Every route of the app, asked by every role and by nobody, against the table of rights."""

import re
from collections.abc import Iterator

import pytest
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext
from httpx import Response

from functions.http_api.app import all_routes
from functions.http_api.deps import PUBLIC, Require
from shared.domain.permissions import Right, Role, may
from tests.http_api.client import Browser, make_user


def calls(app: FastAPI) -> list[tuple[str, str, RouteContext]]:
    return [(method, route.path or "", route) for route in all_routes(app) for method in sorted(route.methods or ())]


def rights_of(route: RouteContext) -> set[Right]:
    return {each.call.right for each in _dependencies(route.dependant) if isinstance(each.call, Require)}


def _dependencies(dependant: Dependant) -> Iterator[Dependant]:
    yield dependant
    for each in dependant.dependencies:
        yield from _dependencies(each)


def ask(browser: Browser, method: str, path: str) -> Response:
    return browser.request(method, re.sub(r"\{[^}]*\}", "0", path))


def sent_to_sign_in(answer: Response) -> bool:
    if answer.status_code == 401:
        return True
    # Signing out leads there too, and drops the cookie.
    leads_there = answer.status_code == 303 and answer.headers["location"].startswith("/login")
    return leads_there and "set-cookie" not in answer.headers


def test_every_route_asks_for_a_right_or_is_public_by_name(app: FastAPI) -> None:
    unguarded = {(method, path) for method, path, route in calls(app) if not rights_of(route)}

    assert unguarded == set(PUBLIC)


def test_no_path_is_one_that_the_platform_reserves(app: FastAPI) -> None:
    assert [path for _, path, _ in calls(app) if path.startswith(("/admin", "/runtime"))] == []


def test_nobody_gets_further_than_the_sign_in_page(app: FastAPI, browser: Browser) -> None:
    let_in = [
        f"{method} {path}: {answer.status_code}"
        for method, path, _ in calls(app)
        if (method, path) not in PUBLIC and not sent_to_sign_in(answer := ask(browser, method, path))
    ]

    assert let_in == []


@pytest.mark.parametrize("role", Role)
def test_a_role_gets_what_the_table_grants_and_nothing_else(role: Role, app: FastAPI, clean_database: str) -> None:
    make_user("somebody", role)
    wrong = []
    for method, path, route in calls(app):
        if (method, path) in PUBLIC:
            continue
        # A session for each: some routes end the one they are asked in.
        answer = ask(Browser(app).open_session_of("somebody"), method, path)
        granted = all(may(role, right) for right in rights_of(route))
        as_granted = not sent_to_sign_in(answer) and answer.status_code != 403 and answer.status_code < 500
        if as_granted if not granted else not as_granted:
            wrong.append(f"{method} {path}: {answer.status_code}, {'granted' if granted else 'not granted'}")
        if not granted and answer.status_code != 403:
            wrong.append(f"{method} {path}: {answer.status_code} instead of 403")

    assert wrong == []


def test_the_path_is_looked_at_only_after_the_right(reporter: Browser) -> None:
    assert reporter.get("/manage/styleguide").status_code == 403
    assert reporter.get("/no-such-page").status_code == 404
