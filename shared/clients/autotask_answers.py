"""What Autotask answers, checked where it enters, and what its refusals mean.

A status says little: most of its 500s are refusals of what was sent, with a list of sentences, and some are a plea to
slow down. So the sentences decide, and they go no further than to the one who asked.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from shared.clients.errors import (
    BadAnswer,
    InvalidData,
    NotAllowed,
    NotFound,
    Refused,
    Throttled,
    Unavailable,
    UnknownIntegrationCode,
    UnknownUser,
    Upstream,
    WrongSecret,
)
from shared.clients.patience import retry_after

MOST_SENTENCES = 10
LONGEST_SENTENCE = 500
LONGEST_WAIT = timedelta(minutes=10)  # then we ask whether they still want us to wait
PASSES = re.compile(r"deadlock|timeout|timed out|try again", re.IGNORECASE)
TOO_MANY = re.compile(r"threshold .*exceeded|itgenatr005", re.IGNORECASE | re.DOTALL)  # threads, or requests
NO_SUCH_CODE = re.compile(r"integration ?code|tracking ?identifier", re.IGNORECASE)
STALE_CHOICE = re.compile(r"picklist value .*does not exist", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


class OpaqueFault(Unavailable):
    """A 500 that gives no reason: tried once more, no oftener."""


def good(answer: Answer, *, now: datetime) -> dict[str, Any]:
    """Return the JSON object of an answer. Raise what it means, where it is a refusal or makes no sense."""
    facts = _as_object(answer.body)
    says = _sentences(facts)
    if not 200 <= answer.status < 300:
        raise _refusal(answer, says, now)
    if facts is None:
        raise BadAnswer("Autotask's answer is no JSON object")
    if says:
        raise _invalid(answer.status, says)
    return facts


def _refusal(answer: Answer, says: tuple[str, ...], now: datetime) -> Upstream:
    status, text = answer.status, " ".join(says)
    said = f"Autotask answered {status}"
    if status == 401:
        return WrongSecret("Autotask refused the user or the secret (401)")
    if status == 429 or TOO_MANY.search(text):
        wait = retry_after(answer.headers, now, longest=LONGEST_WAIT)
        return Throttled(f"{said}: too many requests", retry_after=wait)
    if 300 <= status < 400:
        return Refused(f"{said}: a redirect, which is not followed", status=status)
    return _by_sentences(text, said) or _by_status(status, says, said)


def _by_sentences(text: str, said: str) -> Upstream | None:
    """Return what some sentences mean whatever the status is."""
    if "Zone information could not be determined" in text:
        return UnknownUser("Autotask knows no such user")
    if NO_SUCH_CODE.search(text):
        return UnknownIntegrationCode("Autotask does not know the integration code")
    if "does not have the adequate permissions" in text:
        return NotAllowed(f"{said}: the user has no permission for this")
    if "No matching records found" in text:
        return NotFound(f"{said}: there is no such record")
    return None


def _by_status(status: int, says: tuple[str, ...], said: str) -> Upstream:
    if status == 403:
        return NotAllowed(f"{said}: the user has no permission for this")
    if status < 500 and status != 408:
        return Refused(said, status=status)  # 404 too: a route that is not there, never a record
    if status != 500 or any(PASSES.search(each) for each in says):
        return Unavailable(said)
    return _invalid(status, says) if says else OpaqueFault(said)


def _invalid(status: int, says: tuple[str, ...]) -> InvalidData:
    stale = any(STALE_CHOICE.search(each) for each in says)
    return InvalidData(
        "Autotask does not take what was sent", says=says, status=status, reference_is_stale=stale
    )  # fmt: skip


def _as_object(body: bytes) -> dict[str, Any] | None:
    try:
        facts = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return facts if isinstance(facts, dict) else None


def _sentences(facts: Mapping[str, Any] | None) -> tuple[str, ...]:
    """Return the reasons of either shape of refusal: a list of errors, or one message of the web server's."""
    if facts is None:
        return ()
    errors = facts.get("errors") or facts.get("Message") or []
    found = [_sentence(each) for each in (errors if isinstance(errors, list) else [errors])]
    return tuple(each[:LONGEST_SENTENCE] for each in found if each)[:MOST_SENTENCES]


def _sentence(error: Any) -> str:
    if isinstance(error, Mapping):
        error = error.get("message") or error.get("Message") or json.dumps(error)
    return str(error).strip()
