"""The list of a job's runs: a chip each, and one for missed runs that follow each other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from functions.http_api.formats import short_time
from shared.queries.runs_beside import RunInList


@dataclass(frozen=True, kw_only=True, slots=True)
class Chip:
    """One run, or missed runs between which nothing came, newest first.

    It `is_open` where one of them is shown that the chip does not stand for by itself.
    """

    runs: tuple[RunInList, ...]
    words: str
    is_current: bool
    is_open: bool


def chips(runs: Sequence[RunInList], now: datetime, *, shown: int) -> Iterator[Chip]:
    """Yield the list, newest first. Of missed runs those that wait stand apart, and so do those that are overridden."""
    for (is_missed, *_), group in groupby(runs, key=lambda run: (run.is_missed, run.waits, run.is_overridden)):
        together = tuple(group)
        for each in [together] if is_missed and len(together) > 1 else [(run,) for run in together]:
            since = f"since {short_time(each[-1].run_at, now)}" if len(each) > 1 else ""
            is_current = any(run.run_id == shown for run in each)
            is_open = any(run.run_id == shown for run in each[1:])
            yield Chip(runs=each, words=since, is_current=is_current, is_open=is_open)
