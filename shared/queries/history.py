"""What was done to one thing, as the audit log keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from shared.models.audit import AuditEntry
from shared.models.users import User

MOST_ACTS = 100


@dataclass(frozen=True, kw_only=True, slots=True)
class Act:
    """One entry of the audit log; `by` is the name of the person as it is now, else as it was."""

    at: datetime
    by: str
    action: str
    facts: Mapping[str, Any]


def history_of(db: Session, subject_type: str, subject_id: int) -> tuple[Act, ...]:
    """Return the last acts on a subject, newest first."""
    name = func.coalesce(func.nullif(User.display_name, ""), AuditEntry.user_name)
    found = db.execute(
        select(AuditEntry.at, name, AuditEntry.action, AuditEntry.after)
        .outerjoin(User, User.id == AuditEntry.user_id)
        .where(AuditEntry.subject_type == subject_type, AuditEntry.subject_id == subject_id)
        .order_by(AuditEntry.id.desc())
        .limit(MOST_ACTS)
    )
    return tuple(Act(at=at, by=by, action=action, facts=after or {}) for at, by, action, after in found)
