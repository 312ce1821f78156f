"""Ticks the timers of function_app.py on their schedules, in this process; a thread each, so none waits for another."""

import logging
import os
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import azure.functions as func
from azure.functions.timer import TimerRequest
from croniter import croniter

from infra.local.functions import Function
from infra.local.threads import Work
from shared import clock

log = logging.getLogger(__name__)

LATE = timedelta(minutes=1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Timer:
    """One timer function and when it runs: six fields, seconds first, in UTC."""

    name: str
    schedule: str
    work: Callable[[func.TimerRequest], object]

    def next_after(self, moment: datetime) -> datetime:
        found: datetime = croniter(self.schedule, moment, second_at_beginning=True).get_next(datetime)
        return found

    def __call__(self, stop: threading.Event) -> None:
        """Tick until everything stops."""
        due = self.next_after(clock.now())
        while not stop.wait(max(0.0, (due - clock.now()).total_seconds())):
            tick(self, past_due=clock.now() - due > LATE)
            due = self.next_after(clock.now())


def timers_of(functions: Sequence[Function]) -> list[Timer]:
    """Return the timers among the functions. Raise KeyError for a setting that is missing."""
    return [
        Timer(name=each.name, schedule=_schedule(each.trigger["schedule"]), work=each.work)
        for each in functions
        if each.trigger["type"] == "timerTrigger"
    ]


def ticking(timers: Sequence[Timer]) -> dict[str, Work]:
    """Return the work that lets the timers tick, for a thread each."""
    return {f"timer {timer.name}": timer for timer in timers}


def tick(timer: Timer, *, past_due: bool = False) -> None:
    try:
        timer.work(TimerRequest(past_due=past_due))
    except Exception:  # as in Azure, a failed tick does not stop the next one
        log.exception("a timer failed", extra={"timer": timer.name})


def _schedule(named: str) -> str:
    return re.sub(r"%(\w+)%", lambda name: os.environ[name[1]], named)
