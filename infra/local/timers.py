"""Ticks the timers of function_app.py on their schedules, in this process; a thread each, so none waits for another."""

import logging
import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

import azure.functions as func
from azure.functions.decorators.core import Binding
from azure.functions.timer import TimerRequest
from croniter import croniter

from shared import clock

log = logging.getLogger(__name__)

LATE = timedelta(minutes=1)
PATIENCE = 5.0  # seconds that a running timer gets to finish when everything stops


@dataclass(frozen=True, kw_only=True, slots=True)
class Timer:
    """One timer function and when it runs: six fields, seconds first, in UTC."""

    name: str
    schedule: str
    work: Callable[[func.TimerRequest], object]

    def next_after(self, moment: datetime) -> datetime:
        found: datetime = croniter(self.schedule, moment, second_at_beginning=True).get_next(datetime)
        return found


def timers_of(app: func.FunctionApp) -> list[Timer]:
    """Return the timers in `app`, which can be indexed once only. Raise KeyError for a setting that is missing."""
    return [
        Timer(name=str(each.get_function_name()), schedule=_schedule(binding), work=each.get_user_function())
        for each in app.get_functions()
        for binding in each.get_bindings()
        if binding.type == "timerTrigger"
    ]


def _schedule(binding: Binding) -> str:
    return re.sub(r"%(\w+)%", lambda name: os.environ[name[1]], binding.get_dict_repr()["schedule"])


@contextmanager
def ticking(timers: Sequence[Timer]) -> Iterator[None]:
    """Let the timers tick while the block runs."""
    stop = threading.Event()
    threads = [
        threading.Thread(target=_tick_until, args=(stop, timer), name=f"timer {timer.name}", daemon=True)
        for timer in timers
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE)


def _tick_until(stop: threading.Event, timer: Timer) -> None:
    due = timer.next_after(clock.now())
    while not stop.wait(max(0.0, (due - clock.now()).total_seconds())):
        tick(timer, past_due=clock.now() - due > LATE)
        due = timer.next_after(clock.now())


def tick(timer: Timer, *, past_due: bool = False) -> None:
    try:
        timer.work(TimerRequest(past_due=past_due))
    except Exception:  # as in Azure, a failed tick does not stop the next one
        log.exception("a timer failed", extra={"timer": timer.name})
