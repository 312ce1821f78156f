"""Changes the settings of the installation. Each change is in the audit log, before and after."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.db.base import Base
from shared.models.mailbox import MailFolderRow
from shared.models.system import SystemSettings
from shared.services.audit import Actor, record_act
from shared.services.edit_customer import is_time_zone
from shared.services.errors import BadInput
from shared.services.mark_history import Marked, go_live_day, mark_history
from shared.services.watch_again import have_all_slots_made_anew, have_default_clock_learned_anew

MAX_FOLDER_NAME = 100


class UnfitSettings(BadInput):
    """Some of what was typed can't be used; `errors` has a sentence for each such field."""

    def __init__(self, errors: Mapping[str, str]) -> None:
        super().__init__("Nothing was saved: please mend what is marked below.", field=next(iter(errors)))
        self.errors = errors


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedMailSettings:
    """The settings of the mail import as somebody typed them."""

    import_enabled: bool
    import_interval_minutes: str
    import_batch: str
    manual_batch: str
    move_processed: bool
    processed_folder: str
    raw_days: str
    mail_lookback_days: str


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedScheduleSettings:
    """How jobs are watched, as somebody typed it. Without `go_live_on` nothing is history."""

    grace_floor_minutes: str
    missed_look_back_days: str
    overdue_days: str
    stopped_after_days: str
    silence_factor: str
    silence_min_days: str
    silence_max_days: str
    go_live_on: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleChange:
    """Which settings changed, and with the go-live date which runs became history or are it no longer."""

    fields: frozenset[str]
    marked: Marked | None


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which whole numbers a setting takes."""

    least: int
    most: int
    unit: str

    def hold(self, text: str, *, unchanged: int) -> int:
        """Return the number in `text`; the one in force may stay, also where a newcomer could not choose it."""
        text = text.strip()
        number = int(text) if text.isascii() and text.isdigit() and len(text) <= 9 else -1
        if number != unchanged and not self.least <= number <= self.most:
            raise BadInput(f"A whole number of {self.unit} from {self.least} to {self.most:,}, please.")
        return number


_BOUNDS: Mapping[str, Bounds] = {
    "import_interval_minutes": Bounds(5, 60, "minutes"),
    "import_batch": Bounds(1, 10_000, "mails"),
    "manual_batch": Bounds(1, 10_000, "mails"),
    "raw_days": Bounds(0, 3650, "days"),
    "mail_lookback_days": Bounds(1, 365, "days"),
}
SCHEDULE_BOUNDS: Mapping[str, Bounds] = {
    "grace_floor_minutes": Bounds(1, 720, "minutes"),
    "missed_look_back_days": Bounds(1, 90, "days"),
    "overdue_days": Bounds(1, 90, "days"),
    "stopped_after_days": Bounds(1, 365, "days"),
    "silence_factor": Bounds(1, 20, "gaps"),
    "silence_min_days": Bounds(1, 365, "days"),
    "silence_max_days": Bounds(1, 365, "days"),
}


def edit_mail_settings(db: Session, typed: TypedMailSettings, *, actor: Actor, now: datetime) -> bool:
    """Store the settings of the mail import; tell whether anything changed. Raise UnfitSettings."""
    settings = db.get_one(SystemSettings, 1, with_for_update=True)
    return change_row(db, settings, checked(asdict(typed), _mail_checks(db, settings, typed)), actor, now)


def edit_schedule_settings(db: Session, typed: TypedScheduleSettings, *, actor: Actor, now: datetime) -> ScheduleChange:
    """Store how jobs are watched; a new go-live date marks the runs before it at once. Raise UnfitSettings."""
    settings = db.get_one(SystemSettings, 1, with_for_update=True)
    before = {field: getattr(settings, field) for field in TypedScheduleSettings.__dataclass_fields__}
    today = now.astimezone(ZoneInfo(settings.ui_time_zone)).date()
    wanted = checked(asdict(typed), _schedule_checks(settings, typed, today))
    if wanted["silence_min_days"] > wanted["silence_max_days"]:
        raise UnfitSettings({"silence_max_days": "The most cannot be less than the least."})
    change_row(db, settings, wanted, actor, now)
    fields = frozenset(field for field, value in before.items() if value != wanted[field])
    marked = None
    if "go_live_on" in fields:
        marked = mark_history(db, None, actor=actor, now=now)
        have_all_slots_made_anew(db, now=now)
    return ScheduleChange(fields=fields, marked=marked)


def edit_time_zone(db: Session, name: str, *, actor: Actor, now: datetime) -> bool:
    """Store the zone in which pages show times; tell whether that is another one. Raise UnfitSettings."""
    name = name.strip()
    if not is_time_zone(name):
        raise UnfitSettings({"ui_time_zone": f"“{name}” is no time zone; write one like Europe/Amsterdam."})
    settings = db.get_one(SystemSettings, 1, with_for_update=True)
    is_another = change_row(db, settings, {"ui_time_zone": name}, actor, now)
    if is_another:  # jobs of customers without a zone of their own run on this clock
        mark_history(db, None, actor=actor, now=now)
        have_all_slots_made_anew(db, now=now)
        have_default_clock_learned_anew(db)
    return is_another


def edit_sandbox(db: Session, *, on: bool, actor: Actor, now: datetime) -> bool:
    """Store whether this installation is a sandbox; tell whether that is another answer."""
    settings = db.get_one(SystemSettings, 1, with_for_update=True)
    return change_row(db, settings, {"is_sandbox": on}, actor, now)


def _mail_checks(db: Session, settings: SystemSettings, typed: TypedMailSettings) -> dict[str, Callable[[], object]]:
    checks = number_checks(_BOUNDS, settings, typed)
    checks["processed_folder"] = partial(_folder_name, db, typed, unchanged=settings.processed_folder)
    return checks


def _schedule_checks(
    settings: SystemSettings, typed: TypedScheduleSettings, today: date
) -> dict[str, Callable[[], object]]:
    return {
        **number_checks(SCHEDULE_BOUNDS, settings, typed),
        "go_live_on": partial(go_live_day, typed.go_live_on, today=today),
    }


def number_checks(bounds: Mapping[str, Bounds], settings: Base, typed: object) -> dict[str, Callable[[], object]]:
    return {
        field: partial(each.hold, getattr(typed, field), unchanged=getattr(settings, field))
        for field, each in bounds.items()
    }


def checked(typed: Mapping[str, Any], checks: Mapping[str, Callable[[], object]]) -> dict[str, Any]:
    """Return what is to be stored. All that is wrong is told at once."""
    wanted, errors = dict(typed), {}
    for field, check in checks.items():
        try:
            wanted[field] = check()
        except BadInput as problem:
            errors[field] = str(problem)
    if errors:
        raise UnfitSettings(errors)
    return wanted


def _folder_name(db: Session, typed: TypedMailSettings, *, unchanged: str) -> str:
    name = " ".join(typed.processed_folder.split())
    if not name:
        if typed.move_processed:
            raise BadInput("Mails that are moved need a folder.")
        return unchanged
    if len(name) > MAX_FOLDER_NAME or "/" in name or not name.isprintable():
        raise BadInput(f"A folder's name has at most {MAX_FOLDER_NAME} characters and no slash.")
    if typed.move_processed and _is_read(db, name):
        raise BadInput("This folder is itself read, so mails cannot be moved there. Name another one.")
    return name


def _is_read(db: Session, path: str) -> bool:
    paths = db.scalars(select(MailFolderRow.path).where(MailFolderRow.active))
    return any(path.casefold() == each.casefold() for each in paths)


def change_row(db: Session, settings: Base, wanted: Mapping[str, object], actor: Actor, now: datetime) -> bool:
    """Store what differs, and tell the audit log; return whether anything did."""
    before = {field: getattr(settings, field) for field, value in wanted.items() if getattr(settings, field) != value}
    if not before:
        return False
    after = {field: wanted[field] for field in before}
    for field, value in after.items():
        setattr(settings, field, value)
    record_act(
        db,
        actor,
        "settings.changed",
        subject_type="settings",
        subject_id=None,
        before=_told(before),
        after=_told(after),
        now=now,
    )
    return True


def _told(facts: Mapping[str, object]) -> dict[str, object]:
    return {field: value.isoformat() if isinstance(value, date) else value for field, value in facts.items()}
