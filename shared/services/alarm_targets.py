"""Whom alarms are told: targets are added, switched, tried and deleted. Their addresses go in and never come out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from shared.clients.errors import Refused
from shared.clients.notify import Notifier
from shared.clients.public_host import read_place
from shared.domain.alarm import Event, TargetKind, Told
from shared.models.pipeline import AlarmDelivery, AlarmTarget
from shared.services.audit import Actor, record_act
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.keep_alarms import tell_of_open_alarms
from shared.services.secret_box import Purpose, seal
from shared.services.tell_target import CannotTell, link_to_page, note_told, note_trouble, tell_target
from shared.settings import settings

MAX_NAME = 100
MOST_TARGETS = 50  # all of them are shown on one page, and told one after the other
TEST_MESSAGE = "This is a test from Backupchecks. Alarms arrive here when the import of mails is in trouble."


@dataclass(frozen=True, kw_only=True, slots=True)
class Tested:
    """How the test of a target went; `trouble` says why it did not arrive."""

    name: str
    trouble: str


def add_target(db: Session, name: str, *, kind: str, address: str, actor: Actor, now: datetime) -> AlarmTarget:
    """Return the new target; it is told of the alarms that are open. Raise BadInput, Conflict or SecretLost."""
    if (db.scalar(select(func.count()).select_from(AlarmTarget)) or 0) >= MOST_TARGETS:
        raise Conflict(f"There are {MOST_TARGETS} targets already. Delete one that nobody needs.")
    target = AlarmTarget(
        name=_free_name(db, name),
        kind=_kind(kind),
        address=seal(_address(address), Purpose.ALARM_TARGET, key=settings().secret_key),
        active=True,
    )
    with _unless_taken(db, target.name):
        db.add(target)
    _tell(db, target, now)
    _record(db, target, "alarm_target.added", actor, now)
    return target


def switch_target(db: Session, target_id: int, *, active: bool, actor: Actor, now: datetime) -> AlarmTarget:
    """Switch a target on or off. What waits for one that is switched off is forgotten. Raise NotFound."""
    target = _target(db, target_id)
    if target.active == active:
        return target
    target.active, target.last_error = active, ""
    if active:
        _tell(db, target, now)
    else:
        db.execute(delete(AlarmDelivery).where(AlarmDelivery.target_id == target_id, AlarmDelivery.sent_at.is_(None)))
    _record(db, target, f"alarm_target.switched_{'on' if active else 'off'}", actor, now)
    return target


def delete_target(db: Session, target_id: int, *, actor: Actor, now: datetime) -> str:
    """Delete a target with all that was sent or waits; return its name. Raise NotFound."""
    target = _target(db, target_id)
    _record(db, target, "alarm_target.deleted", actor, now)
    db.delete(target)
    return target.name


def send_test(db: Session, target_id: int, notifier: Notifier, *, actor: Actor, now: datetime) -> Tested:
    """Send a test, or ping; return how that went. Raise NotFound."""
    target = db.get(AlarmTarget, target_id)
    if target is None:
        raise _gone()
    told = Told(event=Event.TEST, message=TEST_MESSAGE, opened_at=now, link=link_to_page())
    trouble = ""
    try:
        tell_target(notifier, target.kind, target.address, told)
    except CannotTell as problem:
        trouble = str(problem)
        note_trouble(db, target_id, trouble)
    else:
        note_told(db, target_id, now=now)
    _record(db, target, "alarm_target.tested", actor, now)
    return Tested(name=target.name, trouble=trouble)


def _target(db: Session, target_id: int) -> AlarmTarget:
    target = db.get(AlarmTarget, target_id, with_for_update=True)
    if target is None:
        raise _gone()
    return target


def _gone() -> NotFound:
    return NotFound("This target doesn't exist (any more).")


def _tell(db: Session, target: AlarmTarget, now: datetime) -> None:
    if target.kind is not TargetKind.DEAD_MAN:
        tell_of_open_alarms(db, target.id, now=now)


def _free_name(db: Session, name: str) -> str:
    tidy = " ".join(name.split())
    if not tidy:
        raise BadInput("A target needs a name.", field="name")
    if len(tidy) > MAX_NAME or not tidy.isprintable():
        raise BadInput(f"A name has at most {MAX_NAME} characters, all of them letters, digits or signs.", field="name")
    if db.scalar(select(AlarmTarget.id).where(func.lower(AlarmTarget.name) == func.lower(tidy))) is not None:
        raise _taken(tidy)
    return tidy


def _taken(name: str) -> Conflict:
    return Conflict(f"There is a target called “{name}” already.")


@contextmanager
def _unless_taken(db: Session, name: str) -> Iterator[None]:
    """Store what the block changes; somebody else may have taken the name a moment ago."""
    try:
        with db.begin_nested():
            yield
    except IntegrityError as problem:
        raise _taken(name) from problem


def _kind(text: str) -> TargetKind:
    try:
        return TargetKind(text)
    except ValueError as problem:
        raise BadInput("Choose what kind of target it is.", field="kind") from problem


def _address(text: str) -> str:
    address = text.strip()
    if not address:
        raise BadInput("A target needs an address.", field="address")
    try:
        read_place(address, production=settings().is_production)
    except Refused as problem:
        raise BadInput(str(problem), field="address") from problem
    return address


def _record(db: Session, target: AlarmTarget, action: str, actor: Actor, now: datetime) -> None:
    facts = {"name": target.name, "kind": target.kind.value, "active": target.active, "secret_address": "stored"}
    record_act(
        db,
        actor,
        action,
        subject_type="alarm_target",
        subject_id=target.id,
        before=facts if action.endswith("deleted") else None,
        after=None if action.endswith("deleted") else facts,
        now=now,
    )
