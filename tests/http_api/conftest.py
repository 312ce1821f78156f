"""Signed-in browsers, one a role, over a database of their own."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi import FastAPI

from functions.http_api import formats
from shared import clock
from shared.clients.queues import queues_in_this_process
from shared.domain.permissions import Role
from shared.settings import settings
from tests.http_api.client import Browser, make_user

OURS = frozenset({"APP_ENV", "PUBLIC_URL", "TRUSTED_PROXIES", "MAIL_FOLDER", "APP_SECRET_KEY"})
OUR_PREFIXES = ("GRAPH_", "AUTOTASK_", "AzureWebJobsStorage")


@pytest.fixture(autouse=True)
def settings_of_the_test(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No folder of the developer's own, and nothing of his environment."""
    monkeypatch.setenv("LOCAL_DIR", str(tmp_path))
    for name in list(os.environ):
        if name in OURS or name.startswith(OUR_PREFIXES):
            monkeypatch.delenv(name)
    settings.cache_clear()
    queues_in_this_process.cache_clear()
    yield
    settings.cache_clear()
    formats.show_times_in("Europe/Amsterdam")


@pytest.fixture
def production(settings_of_the_test: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_ENV", "production")
    monkeypatch.setenv("APP_SECRET_KEY", "k" * 32)
    settings.cache_clear()


@pytest.fixture(scope="session")
def app() -> FastAPI:
    from functions.http_api.app import app

    return app


@pytest.fixture
def browser(app: FastAPI, clean_database: str) -> Browser:
    """Nobody is signed in."""
    return Browser(app)


@pytest.fixture
def signed_in(app: FastAPI, clean_database: str) -> Callable[[Role], Browser]:
    """Return a browser in which a new user with this one role is signed in."""
    return lambda role: Browser(app).open_session_of(_new_user(role))


@pytest.fixture
def admin(signed_in: Callable[[Role], Browser]) -> Browser:
    return signed_in(Role.ADMIN)


@pytest.fixture
def operator(signed_in: Callable[[Role], Browser]) -> Browser:
    return signed_in(Role.OPERATOR)


@pytest.fixture
def viewer(signed_in: Callable[[Role], Browser]) -> Browser:
    return signed_in(Role.VIEWER)


@pytest.fixture
def reporter(signed_in: Callable[[Role], Browser]) -> Browser:
    return signed_in(Role.REPORTER)


def _new_user(role: Role) -> str:
    make_user(f"the {role.value}", role)
    return f"the {role.value}"


@pytest.fixture
def one_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no minute pass during a test that compares times as pages say them."""
    moment = clock.now()
    monkeypatch.setattr(clock, "now", lambda: moment)
