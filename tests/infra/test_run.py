"""`make run` from outside: it starts, survives what happens to it, and stops when told."""

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from infra.local.demo.world import CUSTOMERS
from infra.local.postgres import Server
from shared.domain.client_state import client_state
from tests.fake_graph import FakeGraph

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PASSWORD = "three plain words"
MAIL = "From: nas@larch.example\nSubject: Hello\nDate: Tue, 24 Nov 2026 06:00:00 +0000\n\nNothing to read.\n"
KEY = "k" * 32
ABSENT = (
    "DB_HOST",
    "DB_PORT",
    "POSTGRES_DB",
    "POSTGRES_USER",
    "POSTGRES_PASSWORD",
    "APP_SECRET_KEY",
    "MAIL_FOLDER",
    "AzureWebJobsStorage",
)


class Runner:
    """One local installation; started and stopped as often as a test likes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = _free_port()
        self.process: subprocess.Popen[str] | None = None

    def start(self, **settings: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if name not in ABSENT}
        own = {"LOCAL_DIR": str(self.folder), "APP_PORT": str(self.port), "DEMO_ADMIN_PASSWORD": PASSWORD}
        with self.output.open("w") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "infra.local.run"],
                cwd=ROOT,
                env=inherited | own | settings,
                stdout=output,
                stderr=subprocess.STDOUT,
                text=True,
            )

    @property
    def output(self) -> Path:
        return self.folder.with_name("output.txt")

    @property
    def log(self) -> str:
        return (self.folder / "app.log").read_text()

    def post(self, path: str, facts: object = None) -> httpx.Response:
        return httpx.post(f"http://127.0.0.1:{self.port}{path}", json=facts, timeout=10, trust_env=False)

    def wait_for(self, words: str) -> None:
        self.wait_until(lambda: words in self.output.read_text())

    def wait_until_healthy(self) -> None:
        self.wait_until(lambda: self._answers() == {"status": "ok"})

    def end(self, how: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(how)
        return self.process.wait(20)

    def count(self, what: str) -> int:
        """Look into the database of a runner that has stopped."""
        with Server(self.folder / "postgres", durable=True, name="look") as server:
            engine = create_engine(server.url("backupchecks"), poolclass=NullPool)
            with engine.connect() as connection:
                found: int = connection.execute(text(f"SELECT count(*) FROM {what}")).scalar_one()
        return found

    def _answers(self) -> object:
        try:
            return httpx.get(f"http://127.0.0.1:{self.port}/health", timeout=5, trust_env=False).json()
        except httpx.TransportError:
            return None

    def wait_until(self, true: Callable[[], bool]) -> None:
        assert self.process is not None
        deadline = time.monotonic() + 60
        while not true():
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    made = Runner(tmp_path / "local")
    yield made
    if made.process is not None and made.process.poll() is None:
        made.end(signal.SIGKILL)
    Server(made.folder / "postgres", durable=True, name="clear up").destroy()


def test_an_empty_start_imports_what_is_dropped_into_the_folder(runner: Runner) -> None:
    folder = runner.folder / "mailbox"
    folder.mkdir(parents=True)
    (folder / "hello.eml").write_text(MAIL)

    runner.start(DEMO="0", CRON_MAIL_IMPORT="* * * * * *")
    runner.wait_until_healthy()
    runner.wait_for("drop .eml files into")
    time.sleep(3)  # the timer ticks every second

    assert runner.end(signal.SIGINT) == 0
    assert "Created the users admin." in runner.output.read_text()
    assert PASSWORD not in runner.output.read_text()
    assert stat.S_IMODE((runner.folder / "secrets").stat().st_mode) == 0o600
    assert runner.count("users") == 1
    assert runner.count("mail_messages WHERE subject = 'Hello'") == 1


def test_a_demo_that_was_killed_is_taken_up_and_data_outlives_restarts(runner: Runner) -> None:
    runner.start(DEMO_DAYS="2")
    runner.wait_for("Importing sample mails 60/")
    runner.end(signal.SIGKILL)

    runner.start(DEMO_DAYS="2")
    runner.wait_until_healthy()
    assert runner.end(signal.SIGTERM) == 0

    mails = len(list((runner.folder / "mailbox").rglob("*.eml")))
    assert runner.count("mail_messages") == mails
    assert runner.count("users") == 4
    assert runner.count("customers") == len(CUSTOMERS)
    key = (runner.folder / "secrets").read_text()

    runner.start(DEMO_DAYS="2")
    runner.wait_until_healthy()
    runner.wait_for("the password shown at the first start")
    assert runner.end(signal.SIGTERM) == 0
    assert runner.count("mail_messages") == mails
    assert (runner.folder / "secrets").read_text() == key


def test_a_call_of_graph_ends_as_a_mail_without_any_queue_service(runner: Runner) -> None:
    """The webhook, both queues and the workers behind them, in the one process; the timer does not tick."""
    with FakeGraph() as graph:
        runner.start(
            DEMO="0",
            GRAPH_BASE_URL=graph.url,
            GRAPH_MAILBOX=graph.mailbox.address,
            CRON_MAIL_IMPORT="0 0 0 1 1 *",
            APP_SECRET_KEY=KEY,
        )
        runner.wait_until_healthy()
        graph.deliver(subject="Hello")

        assert runner.post("/api/graph/notifications?validationToken=a%20token").text == "a token"
        assert runner.post("/api/graph/notifications", {"value": [{"clientState": "forged"}]}).status_code == 202
        known = client_state(KEY, graph.mailbox.address)
        assert runner.post("/api/graph/notifications", {"value": [{"clientState": known}]}).status_code == 202
        runner.wait_until(lambda: "work=handle_parse" in runner.log)

    assert runner.end(signal.SIGTERM) == 0
    assert runner.count("mail_messages WHERE subject = 'Hello'") == 1


def test_a_port_that_is_taken_is_named_with_a_way_out(runner: Runner) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", runner.port))
        other.listen()

        runner.start()
        assert runner.process is not None
        status = runner.process.wait(20)

    assert status == 1
    assert f"Port {runner.port} cannot be used" in runner.output.read_text()
    assert "APP_PORT=" in runner.output.read_text()


def test_a_password_that_is_too_short_is_refused_and_the_next_start_begins_anew(runner: Runner) -> None:
    runner.start(DEMO="0", DEMO_ADMIN_PASSWORD="short")
    assert runner.process is not None
    assert runner.process.wait(30) == 1
    assert "Use at least" in runner.output.read_text()

    runner.start(DEMO="0")
    runner.wait_until_healthy()

    assert runner.end(signal.SIGTERM) == 0
    assert runner.count("users") == 1
