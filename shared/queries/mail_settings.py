"""The settings of the mail import as they are in force."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.models.system import SystemSettings


@dataclass(frozen=True, kw_only=True, slots=True)
class MailSettings:
    """How mails are imported."""

    import_enabled: bool
    import_interval_minutes: int
    import_batch: int
    manual_batch: int
    move_processed: bool
    processed_folder: str
    raw_days: int
    mail_lookback_days: int


def mail_settings(db: Session) -> MailSettings:
    row = db.execute(select(*(getattr(SystemSettings, field) for field in MailSettings.__dataclass_fields__))).one()
    return MailSettings(**row._asdict())
