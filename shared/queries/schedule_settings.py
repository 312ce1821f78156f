"""The settings of schedules and missed runs as they are in force."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.models.system import SystemSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class ScheduleSettings:
    """How jobs are watched."""

    grace_floor_minutes: int
    missed_look_back_days: int
    overdue_days: int
    stopped_after_days: int
    silence_factor: int
    silence_min_days: int
    silence_max_days: int
    go_live_on: date | None


def schedule_settings(db: Session) -> ScheduleSettings:
    columns = (getattr(SystemSettings, field) for field in ScheduleSettings.__dataclass_fields__)
    return ScheduleSettings(**db.execute(select(*columns)).one()._asdict())
