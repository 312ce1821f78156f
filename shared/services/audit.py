"""The audit log: who did what, from where. Entries are added in the transaction of the change they tell of."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from shared.models.audit import AuditEntry
from shared.services.errors import NotAllowed

MASK = "•••"
_SECRET_WORDS = ("password", "secret", "token", "seed", "api_key", "webhook_url")


@dataclass(frozen=True, kw_only=True, slots=True)
class Actor:
    """Who acts. Without an id: the system itself, or somebody who could not sign in."""

    name: str
    user_id: int | None = None
    address: str | None = None

    @property
    def person_id(self) -> int:
        """The user's id. Raise NotAllowed for the system: some acts only people do."""
        if self.user_id is None:
            raise NotAllowed("Only a person does this.")
        return self.user_id


SYSTEM = Actor(name="system")


def record_act(
    db: Session,
    actor: Actor,
    action: str,
    *,
    subject_type: str,
    subject_id: int | None,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    now: datetime,
) -> None:
    """Add an entry. `action` is `thing.verb` in the past tense; values must be JSON, secrets in them are masked."""
    db.add(
        AuditEntry(
            at=now,
            user_id=actor.user_id,
            user_name=actor.name,
            action=action,
            subject_type=subject_type,
            subject_id=subject_id,
            before=_masked(before),
            after=_masked(after),
            address=actor.address,
        )
    )


def _masked(facts: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if facts is None:
        return None
    return {key: _masked_value(key, value) for key, value in facts.items()}


def _masked_value(key: str, value: Any) -> Any:  # noqa: ANN401 -- any JSON
    if any(word in key.casefold() for word in _SECRET_WORDS):
        return MASK if value else value
    if isinstance(value, Mapping):
        return _masked(value)
    return value
