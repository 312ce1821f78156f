"""What holds for every page: headers, errors, limits, static files."""

import re
from typing import Annotated

import pytest
from fastapi import APIRouter, FastAPI, Response
from fastapi.responses import HTMLResponse
from sqlalchemy import text

from functions.http_api import app as application
from functions.http_api.assets import FOLDER
from functions.http_api.deps import CurrentUser, Db, require
from shared.domain.permissions import Right
from shared.services.errors import BadInput, Conflict, NotAllowed, NotFound, TooMany, Upstream
from tests.http_api.client import Browser, make_user

REFUSALS = {
    "conflict": (Conflict("Somebody was faster."), 409),
    "missing": (NotFound("There is no such job."), 404),
    "refused": (NotAllowed("Not yours."), 403),
    "wrong": (BadInput("No such date.", field="on"), 422),
    "often": (TooMany("Wait."), 429),
    "upstream": (Upstream("Autotask said no.", retryable=False), 502),
    "later": (Upstream("Autotask is away.", retryable=True), 503),
}
router = APIRouter()


@router.get("/trial/{what}")
@router.get("/api/trial/{what}")
def refuse_for_trial(what: str, user: Annotated[CurrentUser, require(Right.OWN_ACCOUNT)]) -> None:
    if what == "crash":
        raise RuntimeError("secret detail <script>")
    raise REFUSALS[what][0]


@router.post("/trial/commit")
def fail_at_commit(db: Db, user: Annotated[CurrentUser, require(Right.OWN_ACCOUNT)]) -> HTMLResponse:
    # The constraint waits until the commit: the route itself succeeds.
    db.execute(text("CREATE TEMP TABLE late (id int UNIQUE DEFERRABLE INITIALLY DEFERRED) ON COMMIT DROP"))
    db.execute(text("INSERT INTO late VALUES (1), (1)"))
    return HTMLResponse("Saved.")


@router.get("/trial-headers")
def repeat_headers(user: Annotated[CurrentUser, require(Right.OWN_ACCOUNT)]) -> Response:
    answer = Response("x", headers={"Content-Security-Policy": "sandbox"})
    answer.headers.append("Vary", "Accept")
    answer.headers.append("Vary", "Cookie")
    return answer


@pytest.fixture(scope="module")
def trial_app() -> FastAPI:
    app = application.create_app()
    app.include_router(router)
    return app


@pytest.fixture
def trial(trial_app: FastAPI, clean_database: str) -> Browser:
    make_user("anna")
    return Browser(trial_app).open_session_of("anna")


def test_every_answer_carries_a_strict_policy_with_a_fresh_nonce(operator: Browser) -> None:
    answers = [operator.get(path) for path in ("/account", "/account", "/no-such-page", "/static/app.css", "/health")]

    policies = [answer.headers["content-security-policy"] for answer in answers]
    nonces = [re.search(r"'nonce-([^']+)'", policy)[1] for policy in policies]
    assert len(set(nonces)) == len(nonces)
    assert all("default-src 'none'" in policy and "unsafe" not in policy for policy in policies)
    assert all(answer.headers["x-content-type-options"] == "nosniff" for answer in answers)
    assert f'nonce="{nonces[0]}"' in answers[0].text


def test_a_route_may_set_a_stricter_policy_and_repeated_headers_are_joined(trial: Browser) -> None:
    headers = trial.get("/trial-headers").headers

    assert headers["content-security-policy"] == "sandbox"
    assert headers.get_list("vary") == ["Accept, Cookie"]


def test_pages_are_kept_by_no_cache(operator: Browser) -> None:
    assert operator.get("/account").headers["cache-control"] == "no-store"


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_is_a_page_with_its_sentence(trial: Browser, what: str) -> None:
    refusal, status = REFUSALS[what]

    page = trial.get(f"/trial/{what}")

    assert (page.status_code, str(refusal) in page.text) == (status, True)
    assert "To the start page" in page.text


@pytest.mark.parametrize("what", REFUSALS)
def test_a_refusal_by_the_api_is_json(trial: Browser, what: str) -> None:
    refusal, status = REFUSALS[what]

    answer = trial.get(f"/api/trial/{what}")

    assert (answer.status_code, answer.json()) == (status, {"detail": str(refusal)})


def test_a_refusal_to_htmx_is_a_message_and_leaves_the_page(trial: Browser) -> None:
    answer = trial.get("/trial/conflict", headers={"HX-Request": "true"})

    assert (answer.headers["hx-retarget"], answer.headers["hx-reswap"]) == ("#toasts", "beforeend")
    assert "Somebody was faster." in answer.text
    assert "<html" not in answer.text


def test_a_crash_shows_a_reference_and_no_detail(trial: Browser, caplog: pytest.LogCaptureFixture) -> None:
    answer = trial.get("/trial/crash")

    reference = re.search(r"<code>([0-9a-f]{8})</code>", answer.text)
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert reference is not None
    assert reference[1] in {getattr(record, "reference", "") for record in caplog.records}


def test_a_failed_commit_is_never_reported_as_a_success(trial: Browser) -> None:
    answer = trial.post("/trial/commit")

    assert answer.status_code == 500
    assert "Saved." not in answer.text


def test_without_a_database_pages_say_so_and_health_still_answers(browser: Browser, operator: Browser) -> None:
    from shared.db import session

    session.configure("postgresql+psycopg2://nobody@/nothing?host=/nonexistent")

    page = operator.get("/account")
    assert (page.status_code, page.headers["retry-after"]) == (503, "30")
    assert "The database cannot be reached." in page.text
    assert browser.get("/health").json() == {"status": "ok"}
    assert browser.get("/health/ready").status_code == 503


def test_ready_compares_the_schema_with_the_code(browser: Browser, committed_db) -> None:
    assert browser.get("/health/ready").json()["checks"]["schema"] == "ok"

    committed_db.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    committed_db.commit()

    answer = browser.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (503, "failing")


def test_an_unknown_page_is_a_page(browser: Browser) -> None:
    answer = browser.get("/no-such-page")

    assert answer.status_code == 404
    assert "There is no such page." in answer.text


@pytest.mark.parametrize("path", ["//account", "/account/", "///account//"])
def test_doubled_and_trailing_slashes_are_forgiven(operator: Browser, path: str) -> None:
    assert operator.get(f"http://localhost{path}").status_code == 200


def test_head_is_get_without_the_content(operator: Browser) -> None:
    whole, head = operator.get("/health"), operator.head("/health")

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


def test_options_names_the_methods_of_a_path(browser: Browser) -> None:
    assert browser.options("/login").headers["allow"] == "GET, HEAD, OPTIONS, POST"
    assert browser.options("/no-such-page").status_code == 404


def test_more_than_ten_megabytes_are_refused_before_they_are_read(operator: Browser) -> None:
    answer = operator.post("/account/theme", content=b"", headers={"Content-Length": str(10 * 1024 * 1024 + 1)})

    assert answer.status_code == 413
    assert "At most 10 MB" in answer.text


def test_a_chunked_body_is_refused_because_the_platform_would_empty_it(operator: Browser) -> None:
    answer = operator.post("/account/theme", content=iter([b"theme=dark"]))

    assert answer.status_code == 411


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/..%2fapp.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/js"]
)
def test_only_static_files_are_served(browser: Browser, path: str) -> None:
    assert browser.get(path).status_code == 404


@pytest.mark.parametrize(
    "name, kind", [("app.css", "text/css"), ("js/keys.js", "text/javascript"), ("icon.svg", "image/svg+xml")]
)
def test_a_static_file_has_its_type_and_is_sent_again_only_when_changed(browser: Browser, name: str, kind: str) -> None:
    first = browser.get(f"/static/{name}")
    again = browser.get(f"/static/{name}", headers={"If-None-Match": first.headers["etag"]})

    assert first.headers["content-type"].startswith(kind)
    assert first.headers["cache-control"] == "no-cache"
    assert again.status_code == 304


def test_only_an_address_that_changes_with_the_content_is_kept_for_ever(browser: Browser) -> None:
    import hashlib

    digest = hashlib.sha256((FOLDER / "app.css").read_bytes()).hexdigest()[:10]

    assert "immutable" in browser.get(f"/static/app.css?v={digest}").headers["cache-control"]
    assert browser.get("/static/app.css?v=0123456789").headers["cache-control"] == "no-cache"


def test_in_production_cookies_belong_to_this_host_and_need_tls(production: None, browser: Browser) -> None:
    cookie = browser.get("/login").headers["set-cookie"]

    assert cookie.startswith("__Host-bc_login=")
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


def test_on_a_test_machine_plain_cookies_do(browser: Browser) -> None:
    cookie = browser.get("/login").headers["set-cookie"]

    assert cookie.startswith("bc_login=")
    assert "Secure" not in cookie


def test_the_style_guide_is_not_part_of_production(production: None, browser: Browser, app: FastAPI) -> None:
    from shared.domain.permissions import Role

    make_user("anna", Role.ADMIN)
    browser.base_url = "https://localhost"  # type: ignore[assignment]
    signed_in = browser.open_session_of("anna")
    signed_in.cookies.set("__Host-bc_session", signed_in.cookies["bc_session"], domain="localhost.local", path="/")

    assert signed_in.get("/account").status_code == 200
    assert signed_in.get("/manage/styleguide").status_code == 404


def test_the_api_page_loads_nothing_from_elsewhere(operator: Browser) -> None:
    page = operator.get("/api/docs")

    assert page.status_code == 200
    assert re.findall(r'(?:src|href)="(?:https?:)?//', page.text) == []
    assert all(path.startswith(("/api/", "/health")) for path in operator.get("/api/openapi.json").json()["paths"])
