"""What one schedule no longer expects that another did, in words: silence that nobody would report any more. Pure."""

from shared.domain.schedule import DAY, Cycle, DayRule, Lane, MonthWeekday, Schedule
from shared.domain.schedule_course import expects_less

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def falls_away(after: Schedule | None, before: Schedule | None) -> tuple[str, ...]:
    """Return a sentence for each thing that `after` no longer expects; none when it expects all that `before` did."""
    if before is None or not before.lanes:
        return ()
    if after is None or not after.lanes:
        return ("No run is expected at any time any more.",)
    sentences = []
    if expects_less(after, before):
        was, will = round(before.per_four_weeks), round(after.per_four_weeks)
        numbers = f": {will} in four weeks instead of {was}" if was != will else ""
        sentences.append(f"Fewer runs are expected{numbers}.")
    if lost := _lost_weekdays(after, before):
        names = [_WEEKDAYS[day] for day in sorted(lost)]
        listed = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
        sentences.append(f"A silent {listed} will no longer be reported.")
    return tuple(sentences)


def _lost_weekdays(after: Schedule, before: Schedule) -> frozenset[int]:
    was, will = _weekdays(before), _weekdays(after)
    return frozenset() if was is None or will is None else was - will


def _weekdays(schedule: Schedule) -> frozenset[int] | None:
    """Return on which weekdays runs are expected; None where the date decides, so that it can be any."""
    found = [_weekdays_of(lane) for lane in schedule.lanes]
    known = [days for days in found if days is not None]
    return frozenset().union(*known) if len(known) == len(found) else None


def _weekdays_of(lane: Lane) -> frozenset[int] | None:
    days = _days_of(lane.rule)
    # A lane's time may lie before or after the day that it belongs to.
    return None if days is None else frozenset((day + int(lane.minute // DAY)) % 7 for day in days)


def _days_of(rule: DayRule) -> frozenset[int] | None:
    match rule:
        case Cycle(offsets=offsets, anchor=anchor):
            return frozenset((place + anchor - 1) % 7 for place in offsets)
        case MonthWeekday(weekday=weekday):
            return frozenset({weekday})
    return None
