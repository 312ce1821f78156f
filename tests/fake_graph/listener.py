"""Sockets: one thread a connection, faults of the line, and the limit of four requests at once a mailbox."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fake_graph.faults import Effect, Fault
from tests.fake_graph.routes import Graph
from tests.fake_graph.wire import Answer, Call, GraphError, Request

MOST_AT_ONCE = 4
PATIENCE = 30  # seconds, for a test that forgets to let requests go on
TOO_MANY = GraphError(
    429, "ApplicationThrottled", "Application is over its MailboxConcurrency limit.", {"Retry-After": "1"}
)


class Listener:
    """The HTTP server in front of a Graph. `under_way` counts the requests that are being answered."""

    def __init__(self, graph: Graph, port: int) -> None:
        self.graph = graph
        self.link_base = ""  # instead of the address that was called, for links that lead astray
        self.journal: list[Call] = []
        self.most_at_once = 0
        self.under_way = 0
        self._open = threading.Event()
        self._open.set()
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._server = _Server(("127.0.0.1", port), _Handler)
        self._server.listener = self
        graph.journal = self._note
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

    @contextmanager
    def held(self) -> Iterator[None]:
        """Let requests come in and wait; they go on after this."""
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def answer(self, request: Request) -> Answer | None:
        """Return the answer, None when the connection is to end without one, half of one when it is cut."""
        with self._counted() as allowed:
            if allowed:
                self._open.wait(PATIENCE)
            fault = self.graph.faults.take(request) if allowed else None
            answer = self.graph.answer(request, fault) if allowed else TOO_MANY.answer
        if fault and fault.effect is Effect.HANG:
            self._stopped.wait(fault.seconds)
            return self._noted(request, None, fault)
        return self._noted(request, answer, fault)

    @contextmanager
    def _counted(self) -> Iterator[bool]:
        with self._lock:
            allowed = self.under_way < MOST_AT_ONCE
            self.under_way += 1
            self.most_at_once = max(self.most_at_once, self.under_way)
        try:
            yield allowed
        finally:
            with self._lock:
                self.under_way -= 1

    def _noted(self, request: Request, answer: Answer | None, fault: Fault | None) -> Answer | None:
        is_cut = fault is not None and fault.effect is Effect.CUT
        self._note(request, 0 if answer is None or is_cut else answer.status, fault)
        if answer is None or not is_cut:
            return answer
        return Answer(status=answer.status, body=answer.body, headers={**answer.headers, CUT: "1"})

    def _note(self, request: Request, status: int, fault: Fault | None) -> None:
        call = Call(
            method=request.method,
            path=request.path,
            query=request.query,
            headers=request.headers,
            body=request.body,
            inner=request.inner,
            status=status,
            fault=str(fault.effect) if fault else "",
        )
        with self._lock:
            self.journal.append(call)


CUT = "X-Cut"


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
        base = self.server.listener.link_base or f"http://{self.headers['Host']}/v1.0"
        headers = dict(self.headers.items())
        answer = self.server.listener.answer(Request.parse(self.command, self.path, headers, body, base=base))
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

    do_GET = do_POST = do_PATCH = do_DELETE = _handle  # noqa: N815 (the names that the base class looks for)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the base class)
        """Quiet: the journal tells."""
