"""An override as a person types it into a form, and what it means. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.domain.names import fold
from shared.domain.override_words import MatchMode, OverrideLevel
from shared.domain.overrides import NEVER_CAME, Rule
from shared.domain.status import Status

USUAL_DAYS = 90
MOST_DAYS = 366
LOOK_BACK = timedelta(days=90)  # what a preview looks at, and what is overridden afterwards on request
LONGEST_TEXT = 500
LONGEST_REASON = 300
SHORTEST_GLOBAL = 4  # letters: fewer stand in nearly every message


class Mistyped(Exception):
    """What was typed makes no override; `errors` has a sentence for each field in which something is wrong."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("; ".join(errors.values()))
        self.errors = dict(errors)


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedOverride:
    """What stands in the form, as text."""

    level: str = OverrideLevel.OBJECT
    job_id: str = ""
    object_name: str = ""
    software: str = ""
    backup_type: str = ""
    status: str = ""
    mode: str = MatchMode.CONTAINS
    text: str = ""
    failed: bool = False
    missed: bool = False
    unreadable: bool = False
    starts_on: str = ""
    ends_on: str = ""
    reason: str = ""
    afterwards: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Draft:
    """An override that can be stored. `afterwards` also takes runs that came before it, as far as `LOOK_BACK`."""

    rule: Rule
    reason: str
    afterwards: bool

    @property
    def last_moment(self) -> datetime:
        """The end as people say it: the last day, not the midnight after."""
        return self.rule.ends_at - timedelta(minutes=1)

    @property
    def is_global(self) -> bool:
        return self.rule.level is OverrideLevel.GLOBAL

    def looking_back(self, now: datetime) -> Rule:
        """Return the rule as if it had been in force for as long as one looks back."""
        return replace(self.rule, starts_at=now - LOOK_BACK)


def read_override(typed: TypedOverride, *, now: datetime, zone: ZoneInfo) -> Draft:
    """Return what was typed; days are those of `zone`. Raise Mistyped."""
    errors: dict[str, str] = {}
    level = OverrideLevel.GLOBAL if typed.level == OverrideLevel.GLOBAL else OverrideLevel.OBJECT
    is_global = level is OverrideLevel.GLOBAL
    covers = _covers(typed)
    starts_at, ends_at = _times(typed, now, zone, errors)
    if typed.afterwards and starts_at > now:
        errors["starts_on"] = "Leave it empty, or leave out the runs that came already: it can't be about both."
    rule = Rule(
        override_id=0,
        level=level,
        job_id=None if is_global else _job_id(typed, errors),
        object_name=None if is_global else _tidy(typed.object_name) or None,
        software=_tidy(typed.software) or None if is_global else None,
        backup_type=_tidy(typed.backup_type) or None if is_global else None,
        status=_status(typed, covers, errors),
        mode=_mode(typed, errors),
        text=_text(typed, errors, is_global=is_global),
        covers=covers,
        starts_at=starts_at,
        ends_at=ends_at,
        created_at=now,
    )
    reason = _reason(typed, errors)
    if errors:
        raise Mistyped(errors)
    return Draft(rule=rule, reason=reason, afterwards=typed.afterwards)


def last_day(text: str, *, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment at which a last day is over. Raise Mistyped."""
    errors: dict[str, str] = {}
    ends_at = _ends_at(text, now, zone, errors)
    if errors:
        raise Mistyped(errors)
    return ends_at


def usual_last_day(now: datetime, zone: ZoneInfo) -> date:
    return now.astimezone(zone).date() + timedelta(days=USUAL_DAYS)


def _covers(typed: TypedOverride) -> frozenset[Status]:
    found = {Status.FAILED} if typed.failed else set()
    found |= {Status.UNREADABLE} if typed.unreadable else set()
    return frozenset(found | (NEVER_CAME if typed.missed else frozenset()))


def _job_id(typed: TypedOverride, errors: dict[str, str]) -> int | None:
    text = typed.job_id.strip()
    if text.isascii() and text.isdecimal() and len(text) < 19:
        return int(text)
    errors["job_id"] = "Choose the job that it is about."
    return None


def _status(typed: TypedOverride, covers: frozenset[Status], errors: dict[str, str]) -> Status | None:
    if not typed.status:
        return None
    if typed.status not in {Status.WARNING, Status.FAILED, Status.UNREADABLE, *NEVER_CAME}:
        errors["status"] = "Choose one of these."
        return None
    status = Status(typed.status)
    if status is not Status.WARNING and status not in covers:
        errors["covers"] = f"Tick below that it covers what is {status.value}, or choose another status."
    return status


def _mode(typed: TypedOverride, errors: dict[str, str]) -> MatchMode:
    if typed.mode in set(MatchMode):
        return MatchMode(typed.mode)
    errors["mode"] = "Choose one of these."
    return MatchMode.CONTAINS


def _text(typed: TypedOverride, errors: dict[str, str], *, is_global: bool) -> str:
    text = _tidy(typed.text)
    if len(text) > LONGEST_TEXT:
        errors["text"] = f"At most {LONGEST_TEXT} letters: what is particular about the message is enough."
    elif is_global and len(fold(text)) < SHORTEST_GLOBAL:
        errors["text"] = f"An override of all jobs needs a text of at least {SHORTEST_GLOBAL} letters."
    return text


def _times(typed: TypedOverride, now: datetime, zone: ZoneInfo, errors: dict[str, str]) -> tuple[datetime, datetime]:
    starts_at, ends_at = _starts_at(typed.starts_on, now, zone, errors), _ends_at(typed.ends_on, now, zone, errors)
    if not errors and ends_at <= starts_at:
        errors["ends_on"] = "It ends before it begins."
    return starts_at, ends_at


def _starts_at(text: str, now: datetime, zone: ZoneInfo, errors: dict[str, str]) -> datetime:
    """Today means now: runs that came before are overridden only on request."""
    day = _day(text, errors, "starts_on") if text.strip() else None
    today = now.astimezone(zone).date()
    if day is None or day == today:
        return now
    if not today < day <= today + timedelta(days=MOST_DAYS):
        errors["starts_on"] = "Today or later. For runs that came already there is the box at the end."
        return now
    return datetime.combine(day, time(), zone)


def _ends_at(text: str, now: datetime, zone: ZoneInfo, errors: dict[str, str]) -> datetime:
    day, today = _day(text, errors, "ends_on"), now.astimezone(zone).date()
    if day is None:
        return now
    if not today <= day <= today + timedelta(days=MOST_DAYS):
        errors["ends_on"] = "From today until a year ahead: what is known today should be looked at again then."
        return now
    return datetime.combine(day + timedelta(days=1), time(), zone)


def _day(text: str, errors: dict[str, str], field: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        errors[field] = "Say which day, as YYYY-MM-DD."
        return None


def _reason(typed: TypedOverride, errors: dict[str, str]) -> str:
    reason = _tidy(typed.reason)
    if not reason or len(reason) > LONGEST_REASON:
        errors["reason"] = f"Say why this problem is all right, in at most {LONGEST_REASON} letters."
    return reason


def _tidy(text: str) -> str:
    return " ".join(text.replace("\0", "").split())
