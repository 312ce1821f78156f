"""Serves the web app on this machine: uvicorn where Azure has the Functions host."""

import socket
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

ADDRESS = "127.0.0.1"
PATIENCE = 3  # seconds that open requests get to finish when everything stops


class PortTaken(Exception):
    """Somebody else listens on the port; the message says what to do."""


def check_port(port: int) -> None:
    """Raise PortTaken when the app could not be served on `port`."""
    _listening(port).close()


def serve(app: ASGIApp, port: int, announce: Callable[[], None]) -> None:
    """Serve the app until the process is told to stop; announce it when connections are taken. Raise PortTaken."""
    listening = _listening(port)
    announce()
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        server_header=False,
        proxy_headers=False,  # the app reads them itself; here any local program could forge an address
        timeout_graceful_shutdown=PATIENCE,
    )
    try:
        uvicorn.Server(config).run(sockets=[listening])
    finally:
        listening.close()


def _listening(port: int) -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    # Connections of an earlier run that still fade away do not matter; a living server does.
    opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        opened.bind((ADDRESS, port))
        opened.listen()
    except OSError as problem:
        opened.close()
        other = port + 1 if port < 65535 else 8000
        sentence = f"Port {port} cannot be used ({problem.strerror}). Try another one: APP_PORT={other} make run"
        raise PortTaken(sentence) from None
    return opened
