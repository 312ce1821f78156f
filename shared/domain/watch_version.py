"""Names what somebody saw of how a job is watched, so that nobody overwrites what he has not seen. Pure."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, Protocol

from shared.domain.slot_state import ScheduleMode

UNWATCHED = "none"


class Watched(Protocol):
    """What is kept of how a job is watched."""

    @property
    def mode(self) -> ScheduleMode: ...
    @property
    def lanes(self) -> Sequence[Mapping[str, Any]]: ...
    @property
    def proposal(self) -> Mapping[str, Any] | None: ...
    @property
    def decided_at(self) -> datetime | None: ...
    @property
    def accepted_at(self) -> datetime | None: ...
    @property
    def grace_minutes(self) -> int | None: ...
    @property
    def sleeps(self) -> bool: ...
    @property
    def paused_until(self) -> datetime | None: ...


def watch_version(known: Watched | None) -> str:
    """Return a short name that changes with whatever a person or the learner decides.

    The days count and not the times: a lane follows its runs by minutes, and nobody's form is outdated by that.
    """
    if known is None:
        return UNWATCHED
    seen = [
        known.mode,
        _days(known.lanes),
        _days(known.proposal["lanes"]) if known.proposal else None,
        known.grace_minutes,
        known.sleeps,
        *(_text(moment) for moment in (known.decided_at, known.accepted_at, known.paused_until)),
    ]
    return sha256(json.dumps(seen).encode()).hexdigest()[:16]


def _days(lanes: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted(json.dumps(lane["days"], sort_keys=True) for lane in lanes)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
