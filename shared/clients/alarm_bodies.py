"""What alarms look like to those who receive them. `docs/alarms.md` describes both; they only ever gain fields."""

from typing import Any

from shared.domain.alarm import Event, TargetKind, Told

VERSION = 1
_COLOURS = {Event.OPENED: "Attention", Event.ENDED: "Good", Event.TEST: "Accent"}
_WORDS = {Event.OPENED: "Alarm", Event.ENDED: "Over", Event.TEST: "Test"}


def body_for(kind: TargetKind, told: Told) -> dict[str, Any]:
    return teams_body(told) if kind is TargetKind.TEAMS else webhook_body(told)


def webhook_body(told: Told) -> dict[str, Any]:
    return {
        "version": VERSION,
        "source": "backupchecks",
        "event": told.event.value,
        "key": told.key,
        "alarm_id": told.alarm_id,
        "kind": told.kind.value if told.kind else None,
        "title": told.title,
        "subject": told.subject,
        "message": told.message,
        "opened_at": told.opened_at.isoformat(),
        "closed_at": told.closed_at.isoformat() if told.closed_at else None,
        "link": told.link or None,
    }


def teams_body(told: Told) -> dict[str, Any]:
    """Return an adaptive card as a workflow "When a Teams webhook request is received" posts it."""
    card: dict[str, Any] = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",  # the newest that all Teams clients draw
        "msteams": {"width": "Full"},
        "body": [
            _text(f"{_WORDS[told.event]}: {told.title}", weight="Bolder", size="Medium", color=_COLOURS[told.event]),
            _text(told.message),
            {"type": "FactSet", "facts": [{"title": title, "value": value} for title, value in _facts(told)]},
        ],
    }
    if told.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open Backupchecks", "url": told.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _text(text: str, **style: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **style}


def _facts(told: Told) -> list[tuple[str, str]]:
    """Return what stands in the card's table; its times are shown in each reader's own zone."""
    facts = [("Concerns", told.subject), ("Since", _in_zone_of_reader(told.opened_at.isoformat(timespec="seconds")))]
    if told.closed_at:
        facts.append(("Over since", _in_zone_of_reader(told.closed_at.isoformat(timespec="seconds"))))
    facts.append(("Message", told.key))
    return [(title, value) for title, value in facts if value]


def _in_zone_of_reader(moment: str) -> str:
    moment = moment.replace("+00:00", "Z")
    return f"{{{{DATE({moment}, SHORT)}}}} {{{{TIME({moment})}}}}"
