"""Somebody who subscribes: echoes validations, and keeps what he is told."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit


class Webhook:
    """A context manager: it listens inside."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.paths: list[str] = []
        self.echoes = True
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.webhook = self
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class _Server(HTTPServer):
    webhook: Webhook


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        webhook, address = self.server.webhook, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = parse_qs(address.query).get("validationToken", [""])[0]
        webhook.paths.append(address.path)
        if not token:
            webhook.told.extend(json.loads(body)["value"])
        answer = token.encode() if webhook.echoes else b"no"
        self.send_response(200 if token else 202)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name in the base class)
        """Quiet."""
