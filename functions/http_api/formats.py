"""How times, durations and sizes read on a page."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from shared import clock

_zone = ZoneInfo("Europe/Amsterdam")  # until the first request tells what the settings say
NOTHING = Markup("–")  # where a value is unknown
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def ui_zone() -> ZoneInfo:
    """Return the zone in which pages show times."""
    return _zone


def show_times_in(zone: str) -> None:
    """Let all pages show times in this zone; each signed-in request brings the settings' one along."""
    global _zone  # noqa: PLW0603 -- one zone for the installation, not one a request
    _zone = ZoneInfo(zone)


def when(moment: datetime | None, now: datetime | None = None) -> Markup:
    """Return a time element: `06:12` today, `Mon 06:12` within a week, `12 Feb` else; in full on hover."""
    if moment is None:
        return NOTHING
    return _time_element(moment, short_time(moment, now or clock.now()))


def full_time(moment: datetime | None) -> Markup:
    """Return a time element that needs no guessing: `Mon 12 Feb 2026 06:12`."""
    if moment is None:
        return NOTHING
    local = moment.astimezone(ui_zone())
    return _time_element(moment, f"{_WEEKDAYS[local.weekday()]} {_day(local)} {local.year} {local:%H:%M}")


def short_time(moment: datetime, now: datetime) -> str:
    local, today = moment.astimezone(ui_zone()), now.astimezone(ui_zone()).date()
    days = abs((local.date() - today).days)
    if days == 0:
        return f"{local:%H:%M}"
    if days < 7:  # in six days either way a weekday names one day
        return f"{_WEEKDAYS[local.weekday()]} {local:%H:%M}"
    if local.year == today.year:
        return _day(local)
    return f"{_day(local)} {local.year}"


def duration(length: timedelta | float | None) -> str:
    """Return `1 h 12 m`, `4 m 5 s`, `9 s`, `3 d 2 h`: the two largest units that say something."""
    if length is None:
        return NOTHING
    seconds = round(length.total_seconds() if isinstance(length, timedelta) else length)
    sign, seconds = ("-", -seconds) if seconds < 0 else ("", seconds)
    parts: list[tuple[int, str]] = []
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count or parts:
            parts.append((count, unit))
    shown = [f"{count} {unit}" for count, unit in parts[:2] if count]
    return sign + (" ".join(shown) or "0 s")


def filesize(size: int | None) -> str:
    """Return `1.4 MB`; powers of 1000, as disks are sold and mails report."""
    if size is None:
        return NOTHING
    amount = float(size)
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if amount < 999.95 or unit == "TB":
            return f"{amount:.0f} {unit}" if unit == "B" or amount >= 100 else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError


def plural(count: int, one: str, many: str = "") -> str:
    """Return `1 job`, `2 jobs`, `1,200 jobs`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _day(local: datetime) -> str:
    return f"{local.day} {_MONTHS[local.month - 1]}"


def _time_element(moment: datetime, text: str) -> Markup:
    local = moment.astimezone(ui_zone())
    title = f"{local:%Y-%m-%d %H:%M:%S} {local.tzname()} ({ui_zone().key})"
    return Markup('<time datetime="{}" title="{}">{}</time>').format(local.isoformat(timespec="seconds"), title, text)
