import re

import pytest
from sqlalchemy import func, select, text

from functions.http_api.cookies import SESSION
from shared.db.session import transaction
from shared.domain.permissions import Role
from shared.models.audit import AuditEntry
from shared.models.users import LoginAttempt, User, WebSession
from shared.services.sign_in import PER_ADDRESS, PER_NAME
from tests.http_api.client import PASSWORD, Browser, make_user

FIELD = re.compile(r'name="csrf_token" value="([^"]+)"')


@pytest.fixture
def anna(browser: Browser) -> int:
    return make_user("Anna", Role.OPERATOR, Role.ADMIN, password=PASSWORD)


def sign_in(browser: Browser, username: str, password: str, **fields: str):
    token = FIELD.search(browser.get("/login").text)
    assert token is not None
    return browser.post("/login", data={"username": username, "password": password, "csrf_token": token[1], **fields})


def rows_of(model: type) -> list:
    with transaction() as db:
        return list(db.scalars(select(model)))


def test_the_right_password_opens_the_start_page(browser: Browser, anna: int) -> None:
    answer = sign_in(browser, "Anna", PASSWORD)

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert browser.get("/account").status_code == 200


def test_case_and_spaces_of_the_name_do_not_matter(browser: Browser, anna: int) -> None:
    assert sign_in(browser, " aNNA ", PASSWORD).status_code == 303


def test_an_unknown_user_and_a_wrong_password_get_the_same_answer(browser: Browser, anna: int) -> None:
    pages = [sign_in(browser, name, "wrong") for name in ("Anna", "Otto")]

    assert [page.status_code for page in pages] == [401, 401]
    fresh = r'nonce=\S+|name="csrf_token" value="[^"]+"'
    texts = [re.sub(fresh, "", page.text).replace("Otto", "Anna") for page in pages]
    assert texts[0] == texts[1]
    assert "User name or password is wrong." in texts[0]


def test_what_was_typed_as_a_name_stays_and_the_password_does_not(browser: Browser, anna: int) -> None:
    page = sign_in(browser, 'An"na', "wrong-password").text

    assert 'value="An&#34;na"' in page
    assert "wrong-password" not in page


def test_a_disabled_user_is_refused_like_anybody(browser: Browser, anna: int) -> None:
    with transaction() as db:
        db.execute(text("UPDATE users SET disabled_at = now()"))

    assert sign_in(browser, "Anna", PASSWORD).status_code == 401


def test_a_user_without_a_password_cannot_sign_in_with_an_empty_one(browser: Browser) -> None:
    make_user("Entra only")

    assert sign_in(browser, "Entra only", "").status_code == 401


def test_after_ten_failures_even_the_right_password_has_to_wait(browser: Browser, anna: int) -> None:
    for _ in range(PER_NAME):
        assert sign_in(browser, "Anna", "wrong").status_code == 401

    answer = sign_in(browser, "anna", PASSWORD)

    assert answer.status_code == 429
    assert "quarter of an hour" in answer.text


def test_the_limit_says_nothing_about_whether_the_user_exists(browser: Browser) -> None:
    answers = [sign_in(browser, "nobody", "wrong").status_code for _ in range(PER_NAME + 1)]

    assert answers == [401] * PER_NAME + [429]


def test_one_address_cannot_try_many_names(browser: Browser, anna: int) -> None:
    with transaction() as db:
        for number in range(PER_ADDRESS):
            attempt = LoginAttempt(name_hash=bytes([number]), address="unknown", at=func.now(), succeeded=False)
            db.add(attempt)

    assert sign_in(browser, "Anna", PASSWORD).status_code == 429


def test_failures_of_an_hour_ago_are_forgotten(browser: Browser, anna: int) -> None:
    for _ in range(PER_NAME):
        sign_in(browser, "Anna", "wrong")
    with transaction() as db:
        db.execute(text("UPDATE login_attempts SET at = at - interval '1 hour'"))

    assert sign_in(browser, "Anna", PASSWORD).status_code == 303


def test_the_database_holds_only_the_hash_of_the_cookie(browser: Browser, anna: int) -> None:
    sign_in(browser, "Anna", PASSWORD)
    token = browser.cookies[SESSION]

    [session] = rows_of(WebSession)
    assert token.encode() not in session.token_hash
    assert len(session.token_hash) == 32
    assert re.fullmatch(r"[A-Za-z0-9_-]{40,}", token)


def test_sign_ins_and_refusals_are_in_the_audit_log_without_what_was_typed(browser: Browser, anna: int) -> None:
    sign_in(browser, "Anna", "wrong")
    sign_in(browser, "my secret password", "wrong")
    sign_in(browser, "Anna", PASSWORD)

    entries = [(entry.action, entry.user_name) for entry in rows_of(AuditEntry) if entry.action.startswith("sign_in")]
    assert entries == [
        ("sign_in.refused", "Anna"),
        ("sign_in.refused", "unknown"),
        ("sign_in.succeeded", "Anna"),
    ]


def test_a_password_hashed_with_old_parameters_is_hashed_anew(browser: Browser, anna: int) -> None:
    from argon2 import PasswordHasher

    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with transaction() as db:
        db.get_one(User, anna).password_hash = old

    assert sign_in(browser, "Anna", PASSWORD).status_code == 303
    [user] = rows_of(User)
    assert user.password_hash != old


@pytest.mark.parametrize(
    "target", ["//evil.example", "https://evil.example", "/\\evil.example", "\\/evil.example", "/a\r\nX: y", ""]
)
def test_nobody_is_sent_to_another_site(browser: Browser, anna: int, target: str) -> None:
    assert sign_in(browser, "Anna", PASSWORD, next=target).headers["location"] == "/"


def test_after_signing_in_one_gets_the_page_that_was_asked_for(browser: Browser, anna: int) -> None:
    asked = browser.get("/account?tab=1")
    assert asked.headers["location"] == "/login?next=%2Faccount%3Ftab%3D1"

    assert 'name="next" value="/account?tab=1"' in browser.get(asked.headers["location"]).text
    assert sign_in(browser, "Anna", PASSWORD, next="/account?tab=1").headers["location"] == "/account?tab=1"


def test_the_sign_in_form_needs_its_token(browser: Browser, anna: int) -> None:
    browser.get("/login")

    without = browser.post("/login", data={"username": "Anna", "password": PASSWORD})
    invented = browser.post("/login", data={"username": "Anna", "password": PASSWORD, "csrf_token": "x"})

    assert (without.status_code, invented.status_code) == (403, 403)
    assert rows_of(WebSession) == []


def test_the_token_of_somebody_elses_form_does_not_fit(browser: Browser, anna: int) -> None:
    token = FIELD.search(browser.get("/login").text)
    assert token is not None
    browser.cookies.clear()
    browser.get("/login")

    answer = browser.post("/login", data={"username": "Anna", "password": PASSWORD, "csrf_token": token[1]})

    assert answer.status_code == 403
