"""Asks Autotask on behalf of somebody who waits for the page, and says in words what went wrong."""

from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request
from sqlalchemy.orm import Session

from shared.clients.errors import BadCredentials, BreakerOpen, InvalidData, NotAllowed, Throttled, Unavailable, Upstream
from shared.clients.patience import HASTY
from shared.db.session import transaction
from shared.domain.ticketing import TicketProvider
from shared.services.provider import open_remote
from shared.settings import BadSetting, settings


class NoAnswer(Exception):
    """Autotask did not do what it was asked. The message is a sentence for the person who waits."""


@contextmanager
def asking_autotask(db: Session) -> Iterator[TicketProvider]:
    """Yield Autotask. The request's transaction ends before, for good: it would hold its rows for all that time.

    Raise NoAnswer for whatever goes wrong in the block.
    """
    try:
        provider = open_remote(db, settings(), patience=HASTY)
        db.commit()
        yield provider
    except (BadSetting, Upstream) as problem:
        raise NoAnswer(in_words(problem)) from problem


@contextmanager
def another_transaction(request: Request) -> Iterator[Session]:
    """Yield a session for what follows an answer; the page that is rendered in the block uses it too."""
    with transaction() as db:
        request.state.db = db
        yield db


def in_words(problem: BadSetting | Upstream) -> str:
    """Return what is wrong and what helps, in a sentence or two."""
    said = f"{problem}".removesuffix(".")
    match problem:
        case BadSetting():
            words = f"Autotask is not set up: {said}."
        case BreakerOpen() | BadCredentials():
            words = (
                "Autotask refused the sign-in, and nothing more is sent to it. An administrator tests the connection "
                "in Settings, Autotask."
            )
        case NotAllowed():
            words = f"The user of this app may not do that at Autotask: {said}."
        case Throttled(retry_after=wait):
            when = f"in {round(wait.total_seconds())} seconds" if wait else "in a few minutes"
            words = f"Autotask is throttling us: try again {when}."
        case Unavailable():
            words = f"Autotask can't be reached: {said}. Try again in a minute."
        case InvalidData(says=says) if says:
            words = f"Autotask refused: {' '.join(says)}"
        case _:
            words = f"{said[:1].upper()}{said[1:]}."
    return words
