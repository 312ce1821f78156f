"""Stops all calls after a refused sign-in: asking on locks the user, and only a person can unlock him."""

import threading
from typing import Protocol


class Breaker(Protocol):
    """Open means that nothing goes through. Many processes may share one, so its state may live elsewhere."""

    def is_open(self) -> bool: ...

    def open(self, why: str) -> None:
        """Stop everything; a person closes it again, by a connection test that works."""

    def close(self) -> None: ...


class InMemoryBreaker:
    """A breaker of one process."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self.why = ""

    def is_open(self) -> bool:
        return self._opened.is_set()

    def open(self, why: str) -> None:
        self.why = why
        self._opened.set()

    def close(self) -> None:
        self.why = ""
        self._opened.clear()
