"""What `/health/ready` looks at: each part with a grade and a word."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from sqlalchemy import text
from sqlalchemy.orm import Session

from shared.db import migrate
from shared.db.session import new_session
from shared.domain.mailflow import SubscriptionState
from shared.domain.timer import Timer
from shared.domain.watch import SHORTEST_SUBSCRIPTION
from shared.queries.pipeline import folder_states
from shared.services.heartbeat import StaleTimer, stale_timers
from shared.settings import settings

log = logging.getLogger(__name__)


class Grade(IntEnum):
    """How bad it is. Degraded: people should look, but mails are read and pages shown."""

    OK = 0
    DEGRADED = 1
    FAILING = 2


@dataclass(frozen=True, slots=True)
class Check:
    """What became of looking at one part."""

    grade: Grade
    says: str


GOOD = Check(Grade.OK, "ok")


def looked_at(now: datetime) -> dict[str, Check]:
    """Return every part by name; where one fails, those that lean on it are not looked at."""
    try:
        with new_session() as db:
            found = {"database": _database(db), "schema": _schema(db)}
            if all(check is GOOD for check in found.values()):
                found |= {name: check(db, now) for name, check in WORK.items()}
            return found
    except Exception:  # whatever it is, the probe gets an answer
        log.exception("the database cannot be reached")
        return {"database": Check(Grade.FAILING, "cannot be reached")}


def _database(db: Session) -> Check:
    db.execute(text("SELECT 1"))
    return GOOD


def _schema(db: Session) -> Check:
    if migrate.current_revision(db.connection()) == migrate.expected_revision():
        return GOOD
    return Check(Grade.FAILING, "not at the revision that this code needs: run `python -m shared.cli migrate`")


def _timers(db: Session, now: datetime) -> Check:
    stale = stale_timers(db, now)
    if not stale:
        return GOOD
    stopped = any(timer.is_dead and timer.name == Timer.MAIL_IMPORT for timer in stale)
    return Check(Grade.FAILING if stopped else Grade.DEGRADED, "; ".join(map(_standstill, stale)))


def _standstill(timer: StaleTimer) -> str:
    if timer.is_dead:
        return f"{timer.name} has not run since {_minute(timer.beat_at)}"
    if timer.good_at is None:
        return f"{timer.name} runs, but has never ended well"
    return f"{timer.name} runs, but has not ended well since {_minute(timer.good_at)}"


def _subscription(db: Session, now: datetime) -> Check:
    """Tell whether Graph notifies us. Where it never did mails are polled for, which is enough."""
    address = settings().graph_mailbox
    folders = [folder for folder in folder_states(db, address) if folder.active] if address else []
    states = {folder.subscription for folder in folders}
    if not states:
        return Check(Grade.OK, "not used")
    if states & {SubscriptionState.REMOVED, SubscriptionState.FAILED}:
        return Check(Grade.DEGRADED, "lost: mails are only polled for until it is made anew")
    if states != {SubscriptionState.ACTIVE}:
        why = "refused" if SubscriptionState.REFUSED in states else "not asked for yet"
        return Check(Grade.OK, f"{why}: mails are only polled for")
    expires_at = min(folder.expires_at for folder in folders if folder.expires_at)
    soon = expires_at - now < SHORTEST_SUBSCRIPTION
    return Check(Grade.DEGRADED if soon else Grade.OK, f"active until {_minute(expires_at)}")


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%MZ}"


WORK: dict[str, Callable[[Session, datetime], Check]] = {"timers": _timers, "subscription": _subscription}
