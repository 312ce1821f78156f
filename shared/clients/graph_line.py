"""One call to Graph: attempt after attempt, until there is an answer or a reason to stop.

Repeating is ours. The SDK's own handler waits as long as it is told, up to three minutes a time, and knows neither
broken lines nor answers that end halfway.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared import clock
from shared.clients import graph_loop
from shared.clients.errors import BadAnswer, Throttled, Unavailable
from shared.clients.graph_answers import error_of
from shared.clients.graph_asks import Ask
from shared.clients.graph_login import AsyncCredential
from shared.clients.graph_sdk import Sdk, scope
from shared.clients.patience import Patience, Waits

if TYPE_CHECKING:
    import httpx

log = logging.getLogger(__name__)

AT_ONCE = 4  # Graph refuses the fifth request to a mailbox


class GraphLine:
    """The way to one base address. Safe for threads; `requests` counts the attempts."""

    def __init__(
        self,
        base_url: str,
        credential: AsyncCredential | None,
        *,
        patience: Patience | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self.base_url = base_url
        self.requests = 0
        self.patience = patience or Patience()
        self.now = now
        self._credential = credential
        self._sleep = sleep
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._sdk: Sdk | None = None

    def sign_in(self) -> None:
        """Get a token, so that one knows that there is one. Raise BadCredentials or Unavailable."""
        if self._credential is not None:
            graph_loop.run(self._sign_in(self._credential))

    def call(self, ask: Ask) -> bytes:
        """Return the body of a good answer. Raise Upstream."""
        return graph_loop.run(self._call(ask))

    def start(self, ask: Ask) -> Future[bytes]:
        """Begin a call whose answer is waited for elsewhere."""
        return graph_loop.start(self._call(ask))

    def pause(self, seconds: float) -> None:
        """Wait as this line waits between attempts."""
        graph_loop.run(_awaited(self._sleep, seconds))

    def leads_here(self, link: str) -> bool:
        """Tell whether a link belongs to this base address: no other host ever gets our token."""
        theirs, ours = urlsplit(link), urlsplit(self.base_url)
        return (theirs.scheme, theirs.netloc.lower()) == (ours.scheme, ours.netloc.lower())

    def close(self) -> None:
        """End the connections. The next call opens new ones."""
        graph_loop.run(self.leave())

    async def _sign_in(self, credential: AsyncCredential) -> None:
        try:
            async with asyncio.timeout(self.patience.attempt.total_seconds()):
                await credential.get_token(scope(self.base_url))
        except TimeoutError as problem:
            raise Unavailable("Microsoft Entra ID did not answer in time") from problem

    async def _call(self, ask: Ask) -> bytes:
        waits = Waits(self.patience)
        async with self._slots:  # kept while we wait: who is asked to slow down must not let others overtake
            while True:
                try:
                    return await self._attempt(ask)
                except (Throttled, Unavailable) as problem:
                    pause = waits.after(problem).total_seconds()
                    log.info("asking microsoft graph again", extra={"why": str(problem), "wait": pause})
                    await self._sleep(pause)

    async def _attempt(self, ask: Ask) -> bytes:
        import httpx

        self.requests += 1
        try:
            async with asyncio.timeout(self.patience.attempt.total_seconds()):
                answer = await self._connected().send(ask)
        except httpx.ConnectError as problem:
            raise Unavailable("Microsoft Graph's host can't be reached") from problem
        except (TimeoutError, httpx.TimeoutException) as problem:
            raise Unavailable("Microsoft Graph did not answer in time") from problem
        except httpx.RequestError as problem:
            raise Unavailable(f"no whole answer from Microsoft Graph: {type(problem).__name__}") from problem
        except httpx.InvalidURL as problem:
            raise BadAnswer("Microsoft Graph's link is no address") from problem
        return self._good(answer)

    def _good(self, answer: "httpx.Response") -> bytes:
        refusal = error_of(answer.status_code, answer.headers, answer.content, now=self.now())
        if refusal is None:
            return answer.content
        facts = {"why": str(refusal), "graph_request_id": answer.headers.get("request-id", "")}
        log.info("microsoft graph refused a request", extra=facts)
        raise refusal

    def _connected(self) -> Sdk:
        if self._sdk is None:
            self._sdk = Sdk(self.base_url, self._credential, self.patience)
            graph_loop.welcome(self)
        return self._sdk

    async def leave(self) -> None:
        """As `close`, on the loop."""
        if self._sdk is not None:
            await self._sdk.close()
        self._sdk = None


async def _awaited(sleep: Callable[[float], Awaitable[None]], seconds: float) -> None:
    await sleep(seconds)
