"""Writes down what is to be done at the ticketing system, in the transaction that decides it; it is sent later."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from shared.domain.ticket import ErrandKind
from shared.domain.ticketing import new_key, new_note_key
from shared.models.ticketing import Errand
from shared.services.audit import Actor


def add_errand(
    db: Session, kind: ErrandKind, ticket_id: int, content: Mapping[str, object], *, actor: Actor, now: datetime
) -> int:
    """Add an errand, due at once, and return its id. Its key is our name for it over there."""
    key = new_note_key() if kind is ErrandKind.NOTE else new_key()
    errand = Errand(
        key=key, kind=kind, ticket_id=ticket_id, content=dict(content), due_at=now, created_by=actor.user_id
    )
    db.add(errand)
    db.flush()  # its id is returned
    return errand.id
