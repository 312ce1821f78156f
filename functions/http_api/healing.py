"""Lets the requests look after the timers: while somebody asks for pages, no timer dies unseen."""

from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from shared import clock
from shared.services.heal_timers import look_beside


class LookAfterTimers:
    """Stands around the web app where it serves people. Requests neither wait for the look nor fail by it."""

    def __init__(self, app: ASGIApp, look: Callable[[], object] = lambda: look_beside(clock=clock.now)) -> None:
        self.app = app
        self.look = look

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)
        if scope["type"] == "http":
            self.look()
