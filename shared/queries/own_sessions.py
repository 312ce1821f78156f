"""Where a user is signed in."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.permissions import Role
from shared.domain.user import SESSION_IDLE
from shared.models.users import WebSession


@dataclass(frozen=True, kw_only=True, slots=True)
class OwnSession:
    id: int
    address: str
    active_role: Role
    created_at: datetime
    last_seen_at: datetime


def own_sessions(db: Session, user_id: int, *, now: datetime) -> list[OwnSession]:
    """Return the user's live sessions, the one used last first."""
    rows = db.execute(
        select(
            WebSession.id,
            WebSession.address,
            WebSession.active_role,
            WebSession.created_at,
            WebSession.last_seen_at,
        )
        .where(WebSession.user_id == user_id, WebSession.expires_at > now, WebSession.last_seen_at > now - SESSION_IDLE)
        .order_by(WebSession.last_seen_at.desc(), WebSession.id.desc())
    )
    return [OwnSession(**row._asdict()) for row in rows]
