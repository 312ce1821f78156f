"""When alarms begin and end: one incident is one beginning and one end, however much its signs flicker."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.watch import AlarmKey, Finding

CALM = timedelta(minutes=15)  # what is gone that long is over; what comes back before is the same incident
SETTLING = timedelta(minutes=15)  # in which all that stood still with the watchdog gets going again
AWAY = timedelta(minutes=15)  # the watchdog ticks every five


@dataclass(frozen=True, kw_only=True, slots=True)
class OpenAlarm:
    """An alarm that has not ended. `calm_since` is when its trouble was first found gone."""

    alarm_id: int
    key: AlarmKey
    calm_since: datetime | None


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """What becomes of the alarms at a tick: which begin, calm down, are found again, and end."""

    begin: tuple[Finding, ...] = ()
    calm: tuple[int, ...] = ()
    again: tuple[int, ...] = ()
    end: tuple[int, ...] = ()


def decide(
    open_alarms: Sequence[OpenAlarm], found: Iterable[Finding], *, watching_since: datetime, now: datetime
) -> Decision:
    """Return what becomes of the alarms. Nothing begins while the watchdog itself has only just come back."""
    wrong = {finding.key: finding for finding in found}
    known = {alarm.key for alarm in open_alarms}
    gone = [alarm for alarm in open_alarms if alarm.key not in wrong]
    settled = now - watching_since >= SETTLING
    return Decision(
        begin=tuple(finding for key, finding in wrong.items() if key not in known) if settled else (),
        calm=tuple(alarm.alarm_id for alarm in gone if alarm.calm_since is None),
        again=tuple(alarm.alarm_id for alarm in open_alarms if alarm.key in wrong and alarm.calm_since),
        end=tuple(alarm.alarm_id for alarm in gone if alarm.calm_since and now - alarm.calm_since >= CALM),
    )


def watching_since(since: datetime | None, ticked_at: datetime | None, *, now: datetime) -> datetime:
    """Return since when the watchdog watches without a pause of its own.

    A second pause right after the first is none: so rarely it ticks, and it must still judge some time.
    """
    if since is None or ticked_at is None or ticked_at > now:
        return now
    return now if now - ticked_at > AWAY and since != ticked_at else since
