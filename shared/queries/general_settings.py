"""The settings that belong to no other page."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.models.system import SystemSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class GeneralSettings:
    """A sandbox marks each page and changes nothing in the ticketing system."""

    ui_time_zone: str
    is_sandbox: bool


def general_settings(db: Session) -> GeneralSettings:
    row = db.execute(select(SystemSettings.ui_time_zone, SystemSettings.is_sandbox)).one()
    return GeneralSettings(**row._asdict())
