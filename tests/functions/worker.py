"""The app in Microsoft's worker library, in a process of its own; it understands what the harness understands."""

import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests import require

ROOT = Path(__file__).parents[2]
HARNESS = Path(__file__).with_name("worker_harness.py")
SITE = "http://localhost:8000"

EXAMPLE = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A response as the host gets it."""

    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    body: bytes
    outputs: dict[str, list[str]]

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

    def http(self, method: str, path: str, *, body: bytes = b"", function: str = "web", **headers: str) -> Answer:
        sent = {"host": "localhost:8000", **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.cookies:
            sent["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        if body:
            sent["content-length"] = str(len(body))
        http = {"method": method, "url": SITE + path, "headers": sent, "body": base64.b64encode(body).decode()}
        told = self.call({"function": function, "http": http})
        assert told.pop("ok"), told["error"]
        del told["error"]
        answer = Answer(**{**told, "body": base64.b64decode(told["body"])})
        self.cookies |= answer.cookies
        return answer

    def queue(self, name: str, body: str, *, message_id: str = "m1", dequeues: int = 1) -> dict[str, Any]:
        return self.call({"function": name, "queue": {"id": message_id, "body": body, "dequeues": dequeues}})

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


@contextmanager
def started(database: Mapping[str, str], **own: str) -> Iterator[Worker]:
    """Run the worker with these settings while the block runs; skip the test where it cannot be had."""
    python = worker_python()
    require("python3.13", python)
    assert python is not None
    environment = {name: value for name, value in EXAMPLE.items() if name.startswith("CRON_")}
    environment |= {"PATH": os.environ["PATH"], "APP_SECRET_KEY": "k" * 32, **database, **own}
    process = Worker(python, environment)
    try:
        yield process
    finally:
        process.close()
