"""What pages say about slots: when a run was due, and since when nothing came."""

from datetime import datetime

from functions.http_api.formats import duration, plural, short_time
from shared.queries.missed_streaks import Streak
from shared.queries.run_slot import SlotOfRun


def missed(streak: Streak, now: datetime) -> str:
    """Return since when nothing came, and whether something came again."""
    if streak.is_stopped:
        return f"stopped: nothing since {short_time(streak.last_came_at or streak.since, now)}"
    return _since(streak, now) + (f", {plural(streak.earlier, 'earlier slot')}" if streak.earlier else "")


def due(slot: SlotOfRun, schedule: str, now: datetime) -> str:
    """Return "due 06:00 ± 25 m, daily" with the days of the schedule's words, "daily at 06:03"."""
    if slot.is_silence:
        return f"due by {short_time(slot.at, now)} at the latest"
    words = f"due {short_time(slot.at, now)} ± {duration(slot.deadline - slot.at)}"
    # Of several rules the page doesn't know which one this slot is of.
    days = schedule.partition(" at ")[0] if ";" not in schedule else ""
    return f"{words}, {days}" if days else words


def _since(streak: Streak, now: datetime) -> str:
    since = short_time(streak.since, now)
    if streak.came_again_at is not None:
        slots = f", {plural(streak.slots, 'slot')}" if streak.slots > 1 else ""
        return f"missed {since}{slots}; came again {short_time(streak.came_again_at, now)}"
    if streak.slots > 1:
        return f"missed since {since}, {plural(streak.slots, 'slot')}"
    if streak.last_came_at is not None:
        return f"no report since {short_time(streak.last_came_at, now)}"
    return f"no report came {since}"
