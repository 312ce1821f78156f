"""Finds the dates in a sample mail, so that the same report can tell of another night."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

LANGUAGES = {
    "en": (
        "January February March April May June July August September October November December",
        "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    ),
    "nl": (
        "januari februari maart april mei juni juli augustus september oktober november december",
        "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
    ),
    "de": (
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "Montag Dienstag Mittwoch Donnerstag Freitag Samstag Sonntag",
    ),
    "fr": (
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "lundi mardi mercredi jeudi vendredi samedi dimanche",
    ),
    "it": (
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "lunedì martedì mercoledì giovedì venerdì sabato domenica",
    ),
}
# In full or by their first letters; the first pair that has both names of a date counts.
_NAMES = [
    ([name[:month] for name in months.split()], [name[:day] for name in days.split()])
    for month, day in ((99, 99), (99, 3), (3, 3), (3, 2))
    for months, days in LANGUAGES.values()
]

NEAR = 40  # days; what lies farther from the mail's own date is a release, a licence, an example

_NUMBERS = re.compile(r"(?<!\d)(?P<y>20\d\d)(?P<s>[-/])(?P<m>\d\d)(?P=s)(?P<d>\d\d)(?!\d)")
_REVERSED = re.compile(r"(?<![\d.])(?P<a>\d\d?)(?P<s>[-./])(?P<b>\d\d?)(?P=s)(?P<y>20\d\d)(?!\d)")
_DAY_FIRST = re.compile(
    r"(?:\b(?P<w>[^\W\d]{2,10})(?P<ws>,? ))?\b(?P<d>\d\d?)(?P<s>\. | |-)(?P<m>[^\W\d]{3,10})(?P<ys>[ -])(?P<y>20\d\d)\b"
)
_MONTH_FIRST = re.compile(r"\b(?P<m>[A-Z][a-z]{2,8}) (?P<d>\d\d?), (?P<y>20\d\d)\b")
_UNIX = re.compile(r"\b(?P<w>[A-Z][a-z]{2}) (?P<m>[A-Z][a-z]{2}) (?P<d>[ \d]\d) (?P<t>[\d:]{8}) (?P<y>20\d\d)\b")
_WITHOUT_YEAR = re.compile(r"^(?P<d>\d\d)-(?P<m>[A-Z][a-z]{2})(?= \d\d:\d\d)", re.MULTILINE)


Reading = tuple[date, Callable[[date], str]]  # a date, and how to write another one in its place


@dataclass(frozen=True, slots=True)
class Found:
    """A date between two places of a text, and how it is written."""

    start: int
    end: int
    day: date
    write: Callable[[date], str]


def dates_in(text: str, near: date) -> list[Found]:
    """Return the dates of `text` around `near`, in order, none over another."""
    found = [each for pattern in _READERS for match in pattern.finditer(text) for each in _read(pattern, match, near)]
    kept: list[Found] = []
    for each in sorted(found, key=lambda one: (one.start, -one.end)):
        if not kept or each.start >= kept[-1].end:
            kept.append(each)
    return kept


def _read(pattern: re.Pattern[str], match: re.Match[str], near: date) -> Iterator[Found]:
    year = int(match["y"]) if "y" in match.groupdict() else near.year
    readings = _READERS[pattern](match, year)
    close = [(day, write) for day, write in readings if abs(day - near) <= timedelta(days=NEAR)]
    if close:
        day, write = min(close, key=lambda one: abs(one[0] - near))
        yield Found(match.start(), match.end(), day, write)


def _numbers(match: re.Match[str], year: int) -> Iterator[Reading]:
    mark = match["s"]
    yield from _dated(year, int(match["m"]), int(match["d"]), lambda day: f"{day:%Y{mark}%m{mark}%d}")


def _reversed(match: re.Match[str], year: int) -> Iterator[Reading]:
    first, second, mark = match["a"], match["b"], match["s"]
    pad = 2 if len(first) == len(second) == 2 else 1
    yield from _dated(
        year, int(second), int(first), lambda day: f"{day.day:0{pad}}{mark}{day.month:0{pad}}{mark}{day.year}"
    )
    yield from _dated(
        year, int(first), int(second), lambda day: f"{day.month:0{pad}}{mark}{day.day:0{pad}}{mark}{day.year}"
    )


def _day_first(match: re.Match[str], year: int) -> Iterator[Reading]:
    weekday, month = match["w"] or "", match["m"]
    months, weekdays = _names_of(month, weekday)
    if not months:
        return
    pad = 2 if match["s"] == "-" or match["d"].startswith("0") else 1
    before = weekday + match["ws"] if weekday and not weekdays else ""

    def write(day: date) -> str:
        name = _like(weekday, weekdays[day.weekday()]) + match["ws"] if weekdays else before
        return f"{name}{day.day:0{pad}}{match['s']}{_like(month, months[day.month - 1])}{match['ys']}{day.year}"

    yield from _dated(year, _place(months, month) + 1, int(match["d"]), write)


def _month_first(match: re.Match[str], year: int) -> Iterator[Reading]:
    months, _ = _names_of(match["m"], "")
    if months:
        number = _place(months, match["m"]) + 1
        yield from _dated(year, number, int(match["d"]), lambda day: f"{months[day.month - 1]} {day.day}, {day.year}")


def _unix(match: re.Match[str], year: int) -> Iterator[Reading]:
    months, weekdays = _names_of(match["m"], match["w"])
    if weekdays:
        number = _place(months, match["m"]) + 1
        yield from _dated(
            year,
            number,
            int(match["d"]),
            lambda day: f"{weekdays[day.weekday()]} {months[day.month - 1]} {day.day:>2} {match['t']} {day.year}",
        )


def _without_year(match: re.Match[str], year: int) -> Iterator[Reading]:
    months, _ = _names_of(match["m"], "")
    if months:
        number = _place(months, match["m"]) + 1
        yield from _dated(year, number, int(match["d"]), lambda day: f"{day:%d}-{months[day.month - 1]}")


_READERS: dict[re.Pattern[str], Callable[[re.Match[str], int], Iterator[Reading]]] = {
    _NUMBERS: _numbers,
    _REVERSED: _reversed,
    _DAY_FIRST: _day_first,
    _MONTH_FIRST: _month_first,
    _UNIX: _unix,
    _WITHOUT_YEAR: _without_year,
}


def _dated(year: int, month: int, day: int, write: Callable[[date], str]) -> Iterator[Reading]:
    try:
        yield date(year, month, day), write
    except ValueError:  # the other order of day and month
        return


def _names_of(month: str, weekday: str) -> tuple[list[str], list[str]]:
    """Return the lists that hold these names; no days where the word before the date is no day."""
    lists = [(months, days) for months, days in _NAMES if _place(months, month) >= 0]
    whole = [(months, days) for months, days in lists if weekday and _place(days, weekday) >= 0]
    if whole:
        return whole[0]
    return (lists[0][0], []) if lists else ([], [])


def _place(names: list[str], name: str) -> int:
    folded = [each.casefold() for each in names]
    return folded.index(name.casefold()) if name.casefold() in folded else -1


def _like(written: str, name: str) -> str:
    return name.capitalize() if written[:1].isupper() else name.lower()
