"""The one event loop of this process, on a thread of its own.

The SDK's connection pool belongs to the loop that first used it, and functions call us from whatever thread they run
on: so every call goes to this loop and waits for it.
"""

import asyncio
import atexit
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import cache
from typing import Any, Protocol, TypeVar
from weakref import WeakSet

T = TypeVar("T")

_starting = threading.Lock()


class Guest(Protocol):
    """Something that holds connections on the loop."""

    async def leave(self) -> None: ...


class _Loop:
    def __init__(self) -> None:
        self.guests: WeakSet[Guest] = WeakSet()
        self._ready = threading.Event()
        self._loop: asyncio.AbstractEventLoop
        self._ended: asyncio.Event
        self._thread = threading.Thread(target=self._run, name="graph", daemon=True)
        self._thread.start()
        self._ready.wait()
        atexit.register(self._end)

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _run(self) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._until_the_end())

    async def _until_the_end(self) -> None:
        self._loop, self._ended = asyncio.get_running_loop(), asyncio.Event()
        self._ready.set()
        await self._ended.wait()
        for guest in list(self.guests):
            await guest.leave()

    def _end(self) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(timeout=5)


@cache
def _loop() -> _Loop:
    return _Loop()


def welcome(guest: Guest) -> None:
    """Let `guest` leave before the process ends."""
    with _starting:
        _loop().guests.add(guest)


def start(work: Coroutine[Any, Any, T]) -> Future[T]:
    """Begin `work` on the loop."""
    with _starting:
        loop = _loop()
    return loop.start(work)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Return what `work` returns. Interrupted, it ends `work` too."""
    under_way = start(work)
    try:
        return under_way.result()
    finally:
        under_way.cancel()
