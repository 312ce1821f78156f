"""Schedules as the database keeps them. Pure.

A schedule is `{"lanes": [...], "confidence": 0.97}`; a lane `{"days": {...}, "minute": 1325.5, "grace": 75}`, where
`minute` counts from the day's local midnight and `grace` is in minutes. Its days are one of

- `{"every_weeks": 1, "offsets": [0, 1, 4], "anchor": 1}`: offsets are days from a Monday; the anchor, the ordinal of
  one, says in which week a longer cycle begins;
- `{"month_day": 15}`;
- `{"month_end": true}`;
- `{"month_weekday": 1, "nth": 2}`: the second Tuesday; -1 is the last.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from shared.domain.schedule import Cycle, DayRule, Lane, LastDay, MonthDay, MonthWeekday, Schedule

Json = dict[str, Any]


class NotASchedule(ValueError):
    """What is kept isn't of this form."""


def schedule_to_json(schedule: Schedule) -> Json:
    return {"lanes": lanes_to_json(schedule.lanes), "confidence": schedule.confidence}


def schedule_from_json(kept: Mapping[str, Any]) -> Schedule:
    """Return the schedule that `schedule_to_json` wrote. Raise NotASchedule."""
    return schedule_of(_part(kept, "lanes"), _part(kept, "confidence"))


def lanes_to_json(lanes: Sequence[Lane]) -> list[Json]:
    return [{"days": _days_to_json(lane.rule), "minute": lane.minute, "grace": lane.grace} for lane in lanes]


def schedule_of(lanes: Sequence[Mapping[str, Any]], confidence: float | None) -> Schedule:
    """Return the schedule of kept lanes; one that a person wrote is certain. Raise NotASchedule."""
    return Schedule(lanes=tuple(map(_lane, lanes)), confidence=1.0 if confidence is None else confidence)


def _lane(kept: Mapping[str, Any]) -> Lane:
    return Lane(rule=_days_from_json(_part(kept, "days")), minute=_part(kept, "minute"), grace=_part(kept, "grace"))


def _days_to_json(rule: DayRule) -> Json:
    match rule:
        case Cycle(weeks=weeks, offsets=offsets, anchor=anchor):
            return {"every_weeks": weeks, "offsets": sorted(offsets), "anchor": anchor}
        case MonthDay(day=day):
            return {"month_day": day}
        case LastDay():
            return {"month_end": True}
        case MonthWeekday(weekday=weekday, nth=nth):
            return {"month_weekday": weekday, "nth": nth}
    raise NotASchedule(f"a rule of days that cannot be kept: {rule}")


def _days_from_json(kept: Mapping[str, Any]) -> DayRule:
    match kept:
        case {"every_weeks": int(weeks), "offsets": list(offsets), "anchor": int(anchor)}:
            return Cycle(weeks, frozenset(offsets), anchor)
        case {"month_day": int(day)}:
            return MonthDay(day)
        case {"month_end": True}:
            return LastDay()
        case {"month_weekday": int(weekday), "nth": int(nth)}:
            return MonthWeekday(weekday, nth)
    raise NotASchedule(f"not a rule of days: {kept}")


def _part(kept: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 -- any JSON
    try:
        return kept[name]
    except (KeyError, TypeError) as problem:
        raise NotASchedule(f"no {name} in {kept}") from problem
