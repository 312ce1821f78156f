"""Threads that work until everything stops."""

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

PATIENCE = 5.0  # seconds that all of them together get to finish what they do

Work = Callable[[threading.Event], object]


@contextmanager
def working(works: Mapping[str, Work]) -> Iterator[None]:
    """Let each work in a thread of its own, by name, while the block runs; it ends when its event is set."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=work, args=(stop,), name=name, daemon=True)  # none holds up the end for ever
        for name, work in works.items()
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        deadline = time.monotonic() + PATIENCE
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
