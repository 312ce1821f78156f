"""The month as a calendar: weeks of seven cells, and each day in words."""

from collections.abc import Sequence

from functions.http_api.formats import plural
from shared.queries.day_heat import HeatDay

Week = tuple[HeatDay | None, ...]


def weeks(days: Sequence[HeatDay]) -> list[Week]:
    """Return the days in weeks that begin with Monday; cells outside the month are empty."""
    cells: list[HeatDay | None] = [None] * days[0].day.weekday()
    cells += days
    cells += [None] * (-len(cells) % 7)
    return [tuple(cells[begin : begin + 7]) for begin in range(0, len(cells), 7)]


def in_words(day: HeatDay) -> str:
    """Return "120 expected: 2 failed, 1 missed, 3 not judged"."""
    parts = (
        (day.failed, "failed"),
        (day.missed, "missed"),
        (day.unreadable, "unreadable"),
        (day.not_judged, "not judged"),
        (day.to_come, "to come"),
        (day.skipped, "skipped"),
    )
    said = ", ".join(f"{number:,} {word}" for number, word in parts if number)
    if not day.expected:
        return f"nothing expected{': ' if said else ''}{said}"
    return f"{plural(day.expected, 'run')} expected: {said or 'nothing bad'}"
