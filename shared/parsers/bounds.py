"""Holds what a parser returns to what can be stored and shown: mails say anything, and JSON in them may say more."""

import re
from dataclasses import replace
from datetime import datetime

from shared.domain.reading import ObjectResult, Reading
from shared.parsers.contract import UnreadableMail

MAX_NAME = 255
MAX_OBJECT_NAME = 500
MAX_MESSAGE = 4_000
MAX_BYTES = 2**62
YEARS = range(1990, 2100)  # machines without a clock say 0001, 1601 or 1970

# Zero bytes and halves of surrogate pairs: no column takes them.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")


def bounded(reading: Reading) -> Reading:
    """Return the reading with everything cut to size. Raise UnreadableMail where a cut would change its meaning."""
    job_name, origin = bounded_name(reading.job_name), bounded_name(reading.origin)
    if any(
        name is None and (said or "").strip() for name, said in ((job_name, reading.job_name), (origin, reading.origin))
    ):
        raise UnreadableMail(f"a name in it is no name, or has more than {MAX_NAME} characters")
    return replace(
        reading,
        job_name=job_name,
        origin=origin,
        objects=tuple(_object(thing) for thing in reading.objects),
        started_at=_moment(reading.started_at),
        ended_at=_moment(reading.ended_at),
        size_bytes=reading.size_bytes if 0 <= (reading.size_bytes or 0) < MAX_BYTES else None,
        session_id=bounded_text(reading.session_id, MAX_NAME) if reading.session_id else None,
        message=bounded_text(reading.message),
        evidence=tuple(bounded_text(words) for words in reading.evidence),
    )


def bounded_name(text: str | None) -> str | None:
    """Return the name of a job or an origin, None when it is too long: two that begin alike are not one."""
    kept = _UNSTORABLE.sub("", text or "").strip()
    return kept if 0 < len(kept) <= MAX_NAME else None


def bounded_text(text: str, limit: int = MAX_MESSAGE) -> str:
    kept = _UNSTORABLE.sub("", text)
    return kept if len(kept) <= limit else f"{kept[: limit - 1]}…"


def _object(thing: ObjectResult) -> ObjectResult:
    return replace(
        thing,
        name=bounded_text(thing.name, MAX_OBJECT_NAME),
        type=bounded_text(thing.type, MAX_NAME),
        message=bounded_text(thing.message),
    )


def _moment(moment: datetime | None) -> datetime | None:
    return moment if moment is not None and moment.year in YEARS else None
