"""The app on a port of this machine, and a real browser that looks at it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI

from functions.http_api.cookies import SESSION
from tests import require
from tests.http_api.client import Browser

if TYPE_CHECKING:
    from playwright.sync_api import Page

CHROMIUM = Path("/usr/bin/chromium")
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking".split()
QUIET += "--disable-component-update --disable-sync".split()


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve the app from this process, over the database of the test; yield its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(10)


class Tab:
    """One page of a browser in which somebody is signed in; `trouble` is what its console complained about."""

    def __init__(self, page: "Page", address: str) -> None:
        page.set_default_timeout(8000)
        self.page = page
        self.address = address
        self.trouble: list[str] = []


@contextmanager
def opened(address: str, signed_in: Browser, *, width: int = 1280, height: int = 800) -> Iterator[Tab]:
    """Yield a tab in a browser of its own, in the session of `signed_in`."""
    require("chromium", CHROMIUM.exists())
    from playwright.sync_api import sync_playwright  # here, so that other tests load no driver

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = chromium.new_context(viewport={"width": width, "height": height}, reduced_motion="reduce")
        context.add_cookies([{"name": SESSION, "value": signed_in.cookies[SESSION], "url": address}])
        tab = Tab(context.new_page(), address)
        tab.page.on("console", lambda said: tab.trouble.append(said.text) if said.type == "error" else None)
        tab.page.on("pageerror", lambda error: tab.trouble.append(str(error)))
        yield tab
        chromium.close()
