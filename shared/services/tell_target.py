"""Says one thing to one target, and writes down on the target how that went."""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from shared.clients.alarm_bodies import body_for
from shared.clients.errors import Upstream
from shared.clients.notify import Notifier
from shared.domain.alarm import TargetKind, Told
from shared.models.pipeline import AlarmTarget
from shared.services.secret_box import Purpose, SecretLost, open_sealed
from shared.settings import settings

CannotTell = (Upstream, SecretLost)  # both say why in a sentence without the address

PAGE = "/manage/settings/notifications"


def tell_target(notifier: Notifier, kind: TargetKind, sealed_address: bytes, told: Told) -> None:
    """Send the message as this kind of target wants it; a dead-man's switch is pinged. Raise CannotTell."""
    address = open_sealed(sealed_address, Purpose.ALARM_TARGET, key=settings().secret_key)
    if kind is TargetKind.DEAD_MAN:
        notifier.ping(address)
    else:
        notifier.post(address, body_for(kind, told), key=told.key)


def note_told(db: Session, target_id: int, *, now: datetime) -> None:
    _note(db, target_id, last_sent_at=now, last_error="")


def note_trouble(db: Session, target_id: int, sentence: str) -> None:
    _note(db, target_id, last_error=sentence)


def link_to_page() -> str:
    """Return where people find the alarms, as far as we know under which address they use the app."""
    return f"{settings().public_url}{PAGE}" if settings().public_url else ""


def _note(db: Session, target_id: int, **values: object) -> None:
    """Change a target that may have been deleted meanwhile."""
    db.execute(update(AlarmTarget).where(AlarmTarget.id == target_id).values(**values))
