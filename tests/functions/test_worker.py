"""The app in Microsoft's worker library: what the platform's adapter does to requests, responses and timers."""

import base64
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from infra.local.postgres import Server
from tests import require

pytestmark = pytest.mark.worker

ROOT = Path(__file__).parents[2]
HARNESS = Path(__file__).with_name("worker_harness.py")
SITE = "http://localhost:8000"
PASSWORD = "correct horse battery"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A response as the host gets it."""

    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()


class Worker:
    """The worker process; keeps cookies like a browser."""

    def __init__(self, python: Path, environment: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [python, HARNESS], cwd=ROOT, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.functions: list[str] = self._answer()["functions"]
        self.cookies: dict[str, str] = {}

    def http(self, method: str, path: str, *, body: bytes = b"", **headers: str) -> Answer:
        sent = {"host": "localhost:8000", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body:
            sent["content-length"] = str(len(body))
        http = {"method": method, "url": SITE + path, "headers": sent, "body": base64.b64encode(body).decode()}
        told = self.call({"function": "web", "http": http})
        assert told.pop("ok"), told["error"]
        del told["error"]
        answer = Answer(**{**told, "body": base64.b64decode(told["body"])})
        self.cookies |= answer.cookies
        return answer

    def timer(self, name: str) -> dict[str, Any]:
        return self.call({"function": name, "timer": {"IsPastDue": False}})

    def call(self, call: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        self._process.communicate(timeout=20)

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.close()
            pytest.fail("the worker stopped; its words stand on stderr")
        answer: dict[str, Any] = json.loads(line)
        return answer


def worker_python() -> Path | None:
    """Our own interpreter when it has the library, else the one that `make worker-env` sets up."""
    if find_spec("azure_functions_runtime"):
        return Path(sys.executable)
    own = ROOT / ".venv313" / "bin" / "python"
    return own if own.exists() else None


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
    python = worker_python()
    require("python3.13", python)
    assert python is not None
    environment = {"PATH": os.environ["PATH"], "MAIL_FOLDER": str(mail_folder), "APP_SECRET_KEY": "k" * 32}
    process = Worker(python, environment | postgres.environment(database))
    yield process
    process.close()


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
    assert worker.functions == ["mail_import", "web"]


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
    assert worker.timer("mail_import") == {"ok": True, "error": None}

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
