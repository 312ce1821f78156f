"""Words, labels, times and sizes in report mails, whatever the language of the machine that wrote them."""

import re
import unicodedata
from collections.abc import Iterable
from datetime import datetime, timedelta

from shared.domain.names import fold

__all__ = ["duration", "first_label", "fold", "labels", "one_line", "size_in_bytes", "wall_clock"]

MAX_LABELS = 2_000

_SIZE = re.compile(r"(?P<number>\d+(?:[.,\u00a0 ]\d+)*)\s*(?P<unit>[KMGTPE]?i?B|bytes?|octets)\b", re.IGNORECASE)
_POWER = {"k": 1, "m": 2, "g": 3, "t": 4, "p": 5, "e": 6}
_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "jan january januari januar janvier gennaio ene enero",
            "feb february februari februar fevrier fev febbraio febrero",
            "mar march maart mrt marz maerz mars marzo",
            "apr april avril avr aprile abril abr",
            "may mei mai maj maggio mayo",
            "jun june juni juin giugno junio",
            "jul july juli juillet juil luglio julio",
            "aug august augustus aout agosto ago",
            "sep sept september septembre settembre septiembre",
            "oct october oktober okt octobre ottobre octubre",
            "nov november novembre noviembre",
            "dec december dezember dez decembre dicembre diciembre",
        ),
        start=1,
    )
    for name in names.split()
}
_CLOCK = re.compile(r"\b(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?(?:\s*([AaPp])\.?[Mm]\b)?")
_ISO_DAY = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_DAY_FIRST = re.compile(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\b")
_DAY_MONTH = re.compile(r"\b(\d{1,2})\.?\s+(?:de\s+)?([^\W\d_]{3,})\.?,?\s+(?:de\s+)?(\d{4})\b")
_MONTH_DAY = re.compile(r"\b([^\W\d_]{3,})\.?\s+(\d{1,2}),?\s+(\d{4})\b")
_DURATION_PART = re.compile(r"(\d+)\s*(d|h|m|s)[a-z]*", re.IGNORECASE)
_CLOCK_DURATION = re.compile(r"(?:(\d+)[.:])?(\d{1,4}):(\d{2}):(\d{2})")


def one_line(text: str) -> str:
    """Return `text` on one line with single blanks."""
    return " ".join(text.split())


def labels(body: str, separators: str = ":") -> dict[str, str]:
    """Return the `Label: value` lines of a body, by folded label; the first line of a label counts.

    A value that stands alone on the next line (a label line ends with its colon) is taken too. At most
    MAX_LABELS different ones: a log of millions of lines must not keep us busy.
    """
    found: dict[str, str] = {}
    spelled: set[str] = set()
    lines = body.split("\n")
    for index, line in enumerate(lines):
        cut = min((at for mark in separators if (at := line.find(mark)) > 0), default=0)
        label = line[:cut]
        if not label.strip() or cut > 60 or label in spelled:
            continue
        spelled.add(label)
        value = one_line(line[cut + 1 :])
        if not value and index + 1 < len(lines) and ":" not in lines[index + 1]:
            value = one_line(lines[index + 1])
        found.setdefault(fold(label), value)
        if len(found) >= MAX_LABELS:
            break
    return found


def first_label(found: dict[str, str], names: Iterable[str]) -> str | None:
    """Return the value of the first of `names` (already folded) that the mail has and that isn't empty."""
    return next((found[name] for name in names if found.get(name)), None)


def size_in_bytes(text: str) -> int | None:
    """Return the first size in `text` ("16,5 GB", "813.1 MB", "1 234 bytes") in bytes, or None.

    Units count by 1024 with and without the "i", as backup products do. A single comma or point
    followed by exactly three digits is taken for a decimal sign unless the unit is plain bytes.
    """
    match = _SIZE.search(text)
    if match is None:
        return None
    unit = match["unit"].lower()
    power = _POWER.get(unit[0], 0)
    digits = re.sub(r"[\u00a0 ]", "", match["number"])
    if not power:
        return int(re.sub(r"[.,]", "", digits))
    whole, _, fraction = digits.replace(",", ".").rpartition(".")
    number = float(f"{whole.replace('.', '')}.{fraction}") if whole else float(fraction)
    return int(number * 1024**power)


def duration(text: str) -> timedelta | None:
    """Return a duration written as "0:09:42", "2.01:03:04" (days first), "35 Minute 12 Second" or "2m 41s"."""
    if match := _CLOCK_DURATION.search(text):
        days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    parts = _DURATION_PART.findall(text)
    if not parts:
        return None
    unit = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
    return timedelta(**{unit[letter.lower()]: int(number) for number, letter in reversed(parts)})


def wall_clock(text: str, *, day_first: bool = True) -> datetime | None:
    """Return the first date with its time of day in `text`, without a zone, or None.

    Reads ISO days, `31-12-2025`, `31.12.2025`, `12/31/2025` (when it can only be that, or with
    `day_first=False`), "17 Aug 2023", "zaterdag 1 februari 2020" and "Jun 10 2025" in Dutch,
    English, German, French, Italian and Spanish. A date without a time is midnight.
    """
    day, rest = _day(text, day_first=day_first)
    if day is None:
        return None
    clock = _CLOCK.search(rest)
    if clock is None:
        return day
    hour, minute, second = int(clock[1]), int(clock[2]), int(clock[3] or 0)
    if clock[4]:
        hour = hour % 12 + (12 if clock[4] in "pP" else 0)
    try:
        return day.replace(hour=hour, minute=minute, second=second)
    except ValueError:
        return None


def _day(text: str, *, day_first: bool) -> tuple[datetime | None, str]:
    plain = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    for pattern, order in ((_ISO_DAY, "ymd"), (_DAY_FIRST, "dmy"), (_DAY_MONTH, "dMy"), (_MONTH_DAY, "Mdy")):
        for match in pattern.finditer(plain):
            parts = dict(zip(order, match.groups(), strict=True))
            month = _MONTHS.get(parts["M"].lower()) if "M" in parts else int(parts["m"])
            day, year = int(parts["d"]), int(parts["y"])
            if order == "dmy" and month is not None and (month > 12 or not day_first):
                day, month = month, day
            if month and (found := _date(year, month, day)):
                return found, plain[: match.start()] + " " + plain[match.end() :]
    return None, plain


def _date(year: int, month: int, day: int) -> datetime | None:
    try:
        return datetime(year, month, day)  # noqa: DTZ001 -- the machine's wall clock; the mail names no zone
    except ValueError:
        return None
