"""The token in pages: another disguise each time, and it fits its own session only."""

import re

import pytest
from fastapi import FastAPI

from functions.http_api.cookies import SESSION
from functions.http_api.csrf import HEADER, masked
from shared import clock
from shared.db.session import transaction
from shared.domain.permissions import Role
from shared.services.sessions import find_session
from tests.http_api.client import Browser, make_user


@pytest.fixture
def anna(app: FastAPI, clean_database: str) -> Browser:
    make_user("anna", Role.OPERATOR)
    browser = Browser(app).open_session_of("anna")
    del browser.headers[HEADER]
    return browser


def token_in(page: str) -> str:
    """Return the one token that a page carries, in its forms and for its scripts."""
    in_forms = re.findall(r'name="csrf_token" value="([^"]+)"', page)
    [token] = {*in_forms, *re.findall(r'"X-CSRF-Token": "([^"]+)"', page)}
    return token


def secret_of(browser: Browser) -> str:
    with transaction() as db:
        session = find_session(db, browser.cookies[SESSION], now=clock.now())
    assert session is not None
    return session.csrf_token


def is_taken(browser: Browser, token: str) -> bool:
    in_form = browser.post("/account/theme", data={"theme": "dark", "csrf_token": token}).status_code
    in_head = browser.post("/account/theme", data={"theme": "dark"}, headers={HEADER: token}).status_code
    assert in_form == in_head
    return in_form == 303


def test_each_page_carries_another_token_and_all_of_them_are_good(anna: Browser) -> None:
    tokens = {token_in(anna.get("/account").text) for _ in range(3)}

    assert len(tokens) == 3
    assert all(is_taken(anna, token) for token in tokens)


def test_no_part_of_the_token_stands_in_two_pages(anna: Browser) -> None:
    one, other = (token_in(anna.get("/account").text) for _ in range(2))

    pieces = {one[at : at + 6] for at in range(len(one) - 5)}
    assert [piece for piece in pieces if piece in other] == []
    assert secret_of(anna) not in anna.get("/account").text


def test_the_sign_in_page_masks_its_token_too(browser: Browser) -> None:
    one, other = (token_in(browser.get("/login").text) for _ in range(2))

    assert one != other


def test_the_token_of_another_session_is_refused(app: FastAPI, anna: Browser) -> None:
    beside = Browser(app).open_session_of("anna")

    assert not is_taken(anna, token_in(beside.get("/account").text))


def test_the_token_of_a_session_that_is_over_is_refused_in_the_next_one(anna: Browser) -> None:
    old = token_in(anna.get("/account").text)
    anna.post("/logout", data={"csrf_token": old})

    anna.open_session_of("anna")
    del anna.headers[HEADER]

    assert not is_taken(anna, old)


@pytest.mark.parametrize("invented", ["", "x", "AAAA", "====", "Ünïcode", "A" * 100_000])
def test_what_is_no_token_is_refused(invented: str, anna: Browser) -> None:
    answer = anna.post("/account/theme", data={"theme": "dark", "csrf_token": invented})

    assert answer.status_code == 403


def test_what_only_looks_like_a_token_is_refused(anna: Browser) -> None:
    secret = secret_of(anna)

    for invented in ("", "x" * len(secret), secret[:-1], secret + "x", secret.swapcase()):
        assert not is_taken(anna, masked(invented))


def test_the_bare_secret_is_no_token(anna: Browser) -> None:
    assert not is_taken(anna, secret_of(anna))
