"""An outcome as plain JSON values: what `cli parse --json` prints and the golden files hold."""

from datetime import datetime

from shared.domain.reading import Ambiguous, Kind, Outcome, Parsed, Reading, Unreadable, Unrecognised

Json = dict[str, object]

_FACTS = ("software", "backup_type", "job_name", "origin", "status", "started_at", "ended_at")


def outcome_json(outcome: Outcome) -> Json:
    """Return the keys of docs `parse --json`, without `file`; absent facts are None."""
    match outcome:
        case Parsed():
            readings = [reading_json(reading) for reading in outcome.readings]
            top = reading_json(outcome.worst)
            top["objects"] = [thing for reading in readings for thing in _objects(reading)]
            return {"outcome": "parsed", "parser": outcome.parser, **top, "reason": None, "readings": readings}
        case Unreadable():
            known = {name: getattr(outcome, name) for name in ("software", "backup_type", "job_name", "origin")}
            return {**_nothing("unreadable", outcome.reason), "parser": outcome.parser, **known}
        case Ambiguous():
            return _nothing("ambiguous", outcome.reason)
        case Unrecognised():
            return _nothing("unrecognised", outcome.reason)


def quarantined_json(reason: str) -> Json:
    """Return the keys for bytes that aren't a mail."""
    return _nothing("quarantined", reason)


def reading_json(reading: Reading) -> Json:
    """Return one reading's facts; times are ISO 8601, without an offset when the mail gave none."""
    return {
        "software": reading.software,
        "backup_type": reading.backup_type,
        "job_name": reading.job_name,
        "origin": reading.origin,
        "status": reading.status.value,
        "informational": reading.kind is Kind.INFORMATIONAL,
        "kind": reading.kind.value,
        "objects": [
            {"name": thing.name, "type": thing.type, "status": thing.status.value, "message": thing.message}
            for thing in reading.objects
        ],
        "objects_complete": reading.objects_complete,
        "started_at": _iso(reading.started_at),
        "ended_at": _iso(reading.ended_at),
        "size_bytes": reading.size_bytes,
        "session_id": reading.session_id,
        "message": reading.message,
    }


def _nothing(outcome: str, reason: str) -> Json:
    absent = dict.fromkeys(("parser", *_FACTS))
    return {"outcome": outcome, **absent, "informational": False, "objects": [], "reason": reason, "readings": []}


def _objects(reading: Json) -> list[object]:
    found = reading["objects"]
    return found if isinstance(found, list) else []


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
