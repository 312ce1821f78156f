"""Sockets: one thread a connection, and the faults of the line."""

import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fake_autotask.control import Control
from tests.fake_autotask.faults import Effect, Fault, Faults
from tests.fake_autotask.routes import Tenant
from tests.fake_autotask.spoil import redirected, refused, spoiled
from tests.fake_autotask.wire import Answer, Call, Request

CUT = "X-Cut"
UNDONE = (Effect.REFUSE, Effect.HTML, Effect.REDIRECT)


class Listener:
    """The HTTP server in front of a tenant."""

    def __init__(self, tenant: Tenant, faults: Faults, port: int) -> None:
        self.tenant = tenant
        self.faults = faults
        self.journal: list[Call] = []
        self.control: Control | None = None
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._last_page: Answer | None = None
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.listener = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, request: Request) -> Answer | None:
        """Return the answer, None when the connection is to end without one."""
        if self.control is not None and request.path.startswith("/_test/"):
            return self.control.answer(request)
        fault = self.faults.take(request)
        answer = self.tenant.answer(request) if fault is None else self._faulty(request, fault)
        self._note(request, answer, fault)
        return answer

    def _faulty(self, request: Request, fault: Fault) -> Answer | None:
        self._do(fault, fault.before)
        if fault.seconds:
            self._stopped.wait(fault.seconds)
        answer = self._of(request, fault)
        self._do(fault, fault.after)
        return answer

    def _of(self, request: Request, fault: Fault) -> Answer | None:
        if fault.effect in (Effect.CLOSE, Effect.HANG):
            return None
        if fault.effect in UNDONE:
            return redirected(fault, request) if fault.effect is Effect.REDIRECT else refused(fault)
        before, good = self._last_page, self.tenant.answer(request)
        self._last_page = good
        if fault.effect is Effect.LOST:
            return None
        if fault.effect is Effect.CUT:
            return Answer(status=good.status, body=good.body, headers={**good.headers, CUT: "1"})
        return spoiled(good, fault, before=before)

    def _do(self, fault: Fault, deed: Any) -> None:
        if deed is not None:
            with self.tenant.world.lock:
                deed(self.tenant.world)

    def _note(self, request: Request, answer: Answer | None, fault: Fault | None) -> None:
        call = Call(
            method=request.method, path="/".join(request.route), query=request.query, headers=request.headers,
            body=_as_json(request.body), status=0 if answer is None else answer.status,
            fault=str(fault.effect) if fault else "", is_signed="secret" in request.headers,
            port=request.port,
        )  # fmt: skip
        with self._lock:
            self.journal.append(call)


def _as_json(body: bytes) -> Any:
    try:
        return json.loads(body) if body else None
    except ValueError:
        return repr(body)


class _Server(ThreadingHTTPServer):
    listener: Listener
    daemon_threads = True
    block_on_close = False  # a hanging request must not hold up the end of a test
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that goes away is none of our business; a fault of the fake's own is."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request.parse(self.command, self.path, dict(self.headers.items()), body, port=self.client_address[1])
        answer = self.server.listener.answer(request)
        if answer is None:
            self.close_connection = True
        else:
            self._send(answer)

    def _send(self, answer: Answer) -> None:
        is_cut = CUT in answer.headers
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name != CUT:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body[: len(answer.body) // 2] if is_cut else answer.body)
        self.close_connection = self.close_connection or is_cut

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815 (the names that the base class looks for)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the base class)
        """Quiet: the journal tells."""
