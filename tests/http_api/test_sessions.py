from collections.abc import Callable

import pytest
from fastapi import FastAPI
from sqlalchemy import func, select, text

from functions.http_api.csrf import HEADER
from functions.http_api.deps import POLL
from shared.db.session import transaction
from shared.domain.permissions import Role
from shared.models.users import User, WebSession
from tests.http_api.client import PASSWORD, Browser, make_user


@pytest.fixture
def two_browsers(app: FastAPI, clean_database: str) -> tuple[Browser, Browser]:
    """One user, signed in twice."""
    make_user("anna", Role.ADMIN, Role.VIEWER, password=PASSWORD)
    return Browser(app).open_session_of("anna"), Browser(app).open_session_of("anna")


def sessions() -> int:
    with transaction() as db:
        return db.scalar(select(func.count()).select_from(WebSession)) or 0


def change(statement: str) -> None:
    with transaction() as db:
        db.execute(text(statement))


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/account").status_code == 200


def test_signing_out_ends_this_session_and_no_other(two_browsers: tuple[Browser, Browser]) -> None:
    one, other = two_browsers

    assert one.post("/logout").headers["location"] == "/login"

    assert (is_signed_in(one), is_signed_in(other)) == (False, True)


def test_signing_out_everywhere_ends_all(two_browsers: tuple[Browser, Browser]) -> None:
    one, other = two_browsers

    one.post("/account/sign-out-everywhere")

    assert (is_signed_in(one), is_signed_in(other)) == (False, False)


def test_a_new_password_ends_the_other_sessions(two_browsers: tuple[Browser, Browser]) -> None:
    one, other = two_browsers
    new = "four quite unrelated words"

    answer = one.post("/account/password", data={"current": PASSWORD, "new": new, "repeated": new})

    assert answer.status_code == 303
    assert (is_signed_in(one), is_signed_in(other)) == (True, False)


@pytest.mark.parametrize(
    "fields, sentence",
    [
        ({"current": "wrong", "new": "abcd efgh", "repeated": "abcd efgh"}, "not your current password"),
        ({"current": PASSWORD, "new": "abcd efgh", "repeated": "efgh abcd"}, "differ"),
        ({"current": PASSWORD, "new": "short", "repeated": "short"}, "at least 8"),
        ({"current": PASSWORD, "new": "aaaaaaaaaa", "repeated": "aaaaaaaaaa"}, "too easy"),
        ({}, "not your current password"),
    ],
)
def test_a_refused_password_is_explained_and_changes_nothing(
    two_browsers: tuple[Browser, Browser], fields: dict[str, str], sentence: str
) -> None:
    one, other = two_browsers

    answer = one.post("/account/password", data=fields)

    assert (answer.status_code, sentence in answer.text) == (422, True)
    assert is_signed_in(other)


@pytest.mark.parametrize(
    "end",
    [
        "UPDATE web_sessions SET last_seen_at = now() - interval '8 hours 1 minute'",
        "UPDATE web_sessions SET expires_at = now()",
        "UPDATE users SET disabled_at = now()",
    ],
)
def test_a_session_ends_by_itself(operator: Browser, end: str) -> None:
    assert is_signed_in(operator)

    change(end)

    assert not is_signed_in(operator)


def test_reading_pages_keeps_a_session_alive_with_few_writes(operator: Browser) -> None:
    change("UPDATE web_sessions SET last_seen_at = now() - interval '7 hours'")

    operator.get("/account")
    operator.get("/account")

    with transaction() as db:
        [seen] = db.scalars(select(WebSession.last_seen_at))
        assert db.scalar(select(func.now() - seen < text("interval '1 minute'")))


def test_what_a_page_asks_by_itself_does_not_keep_its_session_alive(operator: Browser) -> None:
    change("UPDATE web_sessions SET last_seen_at = now() - interval '7 hours'")

    asked = operator.get("/run-checks/state", headers={POLL: "1"})
    change("UPDATE web_sessions SET last_seen_at = last_seen_at - interval '1 hour 1 minute'")
    asked_later = operator.get("/run-checks/state", headers={POLL: "1", "HX-Request": "true"})

    assert [asked.status_code, asked_later.status_code] == [200, 401]


def test_the_chosen_role_counts_here_and_at_the_next_sign_in(two_browsers: tuple[Browser, Browser]) -> None:
    one, other = two_browsers
    assert one.get("/manage/styleguide").status_code == 200

    assert one.post("/account/role", data={"role": "viewer"}).status_code == 303

    assert one.get("/manage/styleguide").status_code == 403
    assert other.get("/manage/styleguide").status_code == 200
    with transaction() as db:
        assert db.scalars(select(User.last_active_role)).one() is Role.VIEWER


def test_nobody_takes_a_role_that_he_does_not_have(viewer: Browser) -> None:
    assert viewer.post("/account/role", data={"role": "admin"}).status_code == 403
    assert viewer.get("/manage/styleguide").status_code == 403


def test_a_role_that_was_taken_away_ends_at_once(two_browsers: tuple[Browser, Browser]) -> None:
    one, _ = two_browsers

    change("UPDATE users SET roles = '{viewer}', last_active_role = 'viewer'")

    assert one.get("/manage/styleguide").status_code == 403


def test_a_refused_page_offers_the_role_that_helps(two_browsers: tuple[Browser, Browser]) -> None:
    one, _ = two_browsers
    one.post("/account/role", data={"role": "viewer"})

    page = one.get("/manage/styleguide").text

    assert "As viewer you may not change settings." in page
    assert "Continue as admin" in page


def test_the_theme_stands_in_the_page_before_any_script(operator: Browser) -> None:
    operator.post("/account/theme", data={"theme": "dark", "next": "/account"})

    assert 'data-bs-theme="dark"' in operator.get("/account").text


def test_an_invented_cookie_signs_nobody_in(browser: Browser) -> None:
    browser.cookies.set("bc_session", "x" * 43, domain="localhost.local", path="/")

    assert not is_signed_in(browser)


def test_htmx_is_sent_to_the_sign_in_page_as_a_whole(browser: Browser) -> None:
    answer = browser.get("/account", headers={"HX-Request": "true"})

    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")


def test_the_api_is_told_in_json(browser: Browser) -> None:
    answer = browser.get("/api/openapi.json")

    assert (answer.status_code, answer.json()) == (401, {"detail": "Sign in, or send an API token."})


def test_each_role_begins_on_a_page_that_it_may_see(signed_in: Callable[[Role], Browser]) -> None:
    for role in Role:
        someone = signed_in(role)
        assert someone.get(someone.get("/").headers["location"]).status_code == 200, role


def test_a_state_changing_request_needs_the_token_of_its_session(two_browsers: tuple[Browser, Browser]) -> None:
    one, other = two_browsers
    del one.headers[HEADER]

    refused = one.post("/account/theme", data={"theme": "dark"})
    others = one.post("/account/theme", data={"theme": "dark", "csrf_token": other.headers[HEADER]})

    assert (refused.status_code, others.status_code) == (403, 403)
    assert "Reload it and try again" in refused.text


def test_the_token_may_stand_in_the_form(operator: Browser) -> None:
    token = operator.headers.pop(HEADER)

    assert operator.post("/account/theme", data={"theme": "dark", "csrf_token": token}).status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_request_from_another_site_is_refused_even_with_the_token(operator: Browser, headers: dict[str, str]) -> None:
    assert operator.post("/account/theme", data={"theme": "dark"}, headers=headers).status_code == 403


def test_our_own_origin_is_accepted(operator: Browser) -> None:
    own = {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}

    assert operator.post("/account/theme", data={"theme": "dark"}, headers=own).status_code == 303
