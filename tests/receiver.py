"""A web server on this machine that takes what the watcher sends, and answers as the test wants."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    text: str

    @property
    def json(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text)
        return found


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered: a status with headers, or `raw` bytes instead of HTTP; `hold` is waited for before."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    hold: threading.Event | None = None


@dataclass(slots=True)
class Receiver:
    """Answers `answers` one after the other, then 200 for ever. `meanwhile` runs before each answer."""

    address: str = ""
    received: list[Received] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str = "/hook?sig=hush") -> str:
        return self.address + path

    def take(self, request: Received) -> Answer:
        with self.lock:
            self.received.append(request)
            answer = self.answers.pop(0) if self.answers else Answer()
        self.meanwhile()
        return answer

    @property
    def keys(self) -> list[str]:
        """What was said, in order."""
        return [str(each.json["key"]) for each in self.received if each.method == "POST"]


@contextmanager
def receiving(wrap: Callable[[ThreadingHTTPServer], None] = lambda _: None) -> Iterator[Receiver]:
    """Yield a receiver on a free port; `wrap` may put TLS around its socket."""
    receiver = Receiver()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_for(receiver))
    server.daemon_threads = True
    wrap(server)
    receiver.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def _handler_for(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            answer = receiver.take(Received(self.command, self.path, dict(self.headers), text))
            if answer.hold:
                answer.hold.wait(30)
            if answer.raw is not None:
                self.wfile.write(answer.raw)
                return
            self.send_response(answer.status)
            for name, value in {"Content-Length": "0", **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def do_GET(self) -> None:
            self.do_POST()

        def log_message(self, *args: object) -> None:
            """Say nothing."""

    return Handler
