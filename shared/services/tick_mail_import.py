"""What the import timer does at a tick. Like `import_mailbox` it opens its own transactions."""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select

from shared.clients.mailbox import Mailbox
from shared.db.session import transaction
from shared.domain.import_interval import is_import_due
from shared.models.system import ImportCycle, SystemSettings
from shared.services.import_mailbox import import_mailbox

TRIGGER = "timer"


def tick_mail_import(mailbox: Mailbox, *, clock: Callable[[], datetime]) -> dict[str, int]:
    """Import the mailbox if the settings say so by now; return the counts, and how many cycles that were."""
    with transaction() as db:
        settings = db.get_one(SystemSettings, 1)
        last_start = select(func.max(ImportCycle.started_at)).where(
            ImportCycle.source == mailbox.source, ImportCycle.trigger == TRIGGER
        )
        due = is_import_due(
            enabled=settings.import_enabled,
            interval=timedelta(minutes=settings.import_interval_minutes),
            last_started_at=db.scalar(last_start),
            now=clock(),
        )
    if not due:
        return {"cycles": 0}
    summary = import_mailbox(mailbox, trigger=TRIGGER, clock=clock, limit=settings.import_batch)
    return {"cycles": 1, **summary.as_counts()}
