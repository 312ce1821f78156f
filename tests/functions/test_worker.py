"""The app in Microsoft's worker library: what the platform's adapter does to requests, responses and timers."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from infra.local.postgres import Server
from shared.domain.timer import Timer
from tests.functions.worker import Answer, Worker, started

pytestmark = pytest.mark.worker

ROOT = Path(__file__).parents[2]
PASSWORD = "correct horse battery"


@pytest.fixture(scope="module")
def mail_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mailbox")
    mail = "From: nas@larch.example\nSubject: Hello\nDate: Tue, 24 Nov 2026 06:00:00 +0000\n\nNothing to read.\n"
    (folder / "one.eml").write_text(mail)
    return folder


@pytest.fixture(scope="module")
def database(postgres: Server, template: str) -> Iterator[str]:
    """The name of a database with one administrator and the import switched on."""
    name = "test_worker"
    postgres.create_database(name, template=template)
    engine = create_engine(postgres.url(name))
    with engine.begin() as connection:
        connection.execute(text("UPDATE system_settings SET import_enabled = true"))
    engine.dispose()
    _create_admin(postgres.environment(name))
    yield name
    postgres.drop_database(name)


def _create_admin(environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", "shared.cli", "create-admin", "--username", "ada", "--password-stdin"]
    subprocess.run(command, cwd=ROOT, env=os.environ | environment, input=PASSWORD, text=True, check=True)


@pytest.fixture(scope="module")
def worker(postgres: Server, database: str, mail_folder: Path) -> Iterator[Worker]:
    with started(postgres.environment(database), MAIL_FOLDER=str(mail_folder)) as process:
        yield process


@pytest.fixture
def visitor(worker: Worker) -> Worker:
    """The worker as a browser that was never here."""
    worker.cookies = {}
    return worker


@pytest.fixture
def signed_in(visitor: Worker) -> Worker:
    assert sign_in(visitor).status == 303
    return visitor


def sign_in(browser: Worker, password: str = PASSWORD) -> Answer:
    form = browser.http("GET", "/login").text
    fields = {"csrf_token": _csrf(form), "username": "ada", "password": password, "next": "/account"}
    return post_multipart(browser, "/login", fields)


def post_multipart(browser: Worker, path: str, fields: dict[str, str], file: tuple[str, bytes] | None = None) -> Answer:
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields.items()
    ]
    if file:
        name, content = file
        head = f'--edge\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        parts += [head.encode(), b"Content-Type: text/csv\r\n\r\n", content, b"\r\n"]
    body = b"".join([*parts, b"--edge--\r\n"])
    return browser.http("POST", path, body=body, content_type="multipart/form-data; boundary=edge")


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found
    return found[1]


def test_the_worker_finds_all_functions(worker: Worker) -> None:
    assert {"web", "mail_wake", "mail_parse", "graph_notifications", "graph_lifecycle", *Timer} <= {*worker.functions}


def test_health_is_answered(visitor: Worker) -> None:
    answer = visitor.http("GET", "/health")

    assert (answer.status, json.loads(answer.body)) == (200, {"status": "ok"})
    assert visitor.http("GET", "/health/ready").status == 200


def test_head_is_answered_without_a_body(visitor: Worker) -> None:
    answer = visitor.http("HEAD", "/health")

    assert (answer.status, answer.body) == (200, b"")


def test_options_names_the_methods(visitor: Worker) -> None:
    answer = visitor.http("OPTIONS", "/login")

    assert answer.status == 204
    assert "POST" in answer.headers["allow"]


def test_an_unknown_path_gets_our_own_page(visitor: Worker) -> None:
    answer = visitor.http("GET", "/no/such/page")

    assert answer.status == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "There is no such page" in answer.text


def test_a_stranger_is_sent_to_the_sign_in_page_and_back(visitor: Worker) -> None:
    answer = visitor.http("GET", "/account")

    assert answer.status == 303
    assert answer.headers["location"] == "/login?next=%2Faccount"


def test_signing_in_by_form_sets_cookies_that_open_the_pages(visitor: Worker) -> None:
    answer = sign_in(visitor)

    assert (answer.status, answer.headers["location"]) == (303, "/account")
    assert set(answer.cookies) == {"bc_session", "bc_login"}
    assert re.fullmatch(r"[\w.-]+", answer.cookies["bc_session"])
    assert "ada" in visitor.http("GET", "/account").text


def test_a_wrong_password_is_refused_on_the_page(visitor: Worker) -> None:
    answer = sign_in(visitor, password="wrong horse")

    assert answer.status == 401
    assert "User name or password is wrong" in answer.text


def test_static_files_arrive_whole(visitor: Worker) -> None:
    path = "/static/app.css"

    answer = visitor.http("GET", path)

    assert answer.status == 200
    assert answer.body == (ROOT / "functions/http_api" / path.lstrip("/")).read_bytes()


def test_an_uploaded_file_arrives_byte_for_byte(signed_in: Worker) -> None:
    token = _csrf(signed_in.http("GET", "/customers/import").text)
    file = "name\r\nBäckerei Löwenzahn\r\n".encode("utf-8-sig")

    answer = post_multipart(signed_in, "/customers/import", {"csrf_token": token}, ("customers.csv", file))

    assert answer.status == 200
    assert "Bäckerei Löwenzahn" in answer.text
    assert base64.urlsafe_b64encode(file).decode() in answer.text


def test_an_error_of_ours_is_our_own_page(signed_in: Worker, postgres: Server, database: str) -> None:
    engine = create_engine(postgres.url(database))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE web_sessions RENAME TO gone"))
    try:
        answer = signed_in.http("GET", "/account")
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO web_sessions"))
        engine.dispose()

    assert answer.status == 500
    assert "Something broke on our side" in answer.text


def test_the_timer_imports_the_mail_folder(worker: Worker, postgres: Server, database: str) -> None:
    assert worker.timer("mail_import")["ok"]

    engine = create_engine(postgres.url(database))
    with engine.connect() as connection:
        subjects = connection.scalars(text("SELECT subject FROM mail_messages")).all()
    engine.dispose()
    assert subjects == ["Hello"]


def test_a_timer_that_fails_tells_the_host(worker: Worker, postgres: Server, database: str) -> None:
    """Else nobody would see it: the platform counts failed executions."""
    engine = create_engine(postgres.url(database))
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE import_cycles RENAME TO gone"))
    try:
        answer = worker.timer("mail_import")
    finally:
        with engine.begin() as connection:
            connection.execute(text("ALTER TABLE gone RENAME TO import_cycles"))
        engine.dispose()

    assert answer["ok"] is False
    assert "import_cycles" in answer["error"]
