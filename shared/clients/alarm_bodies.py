"""What alarms look like to those who receive them. `docs/alarms.md` describes both; they only ever gain fields."""

from datetime import UTC, datetime
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
            _plain(told.message),
            _text(_times(told)),
            _plain(" · ".join(filter(None, (told.subject, told.key))), isSubtle=True, size="Small"),
        ],
    }
    if told.link:
        card["actions"] = [{"type": "Action.OpenUrl", "title": "Open Backupchecks", "url": told.link}]
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "attachments": [attachment]}


def _text(text: str, **style: str) -> dict[str, Any]:
    return {"type": "TextBlock", "text": text, "wrap": True, **style}


def _plain(text: str, **style: str | bool) -> dict[str, Any]:
    """Return text in which nothing is markup: folders and timers have underscores, and anybody may name a folder."""
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, **style}]}


def _times(told: Told) -> str:
    over = f", over since {_in_zone_of_reader(told.closed_at)}" if told.closed_at else ""
    return f"Since {_in_zone_of_reader(told.opened_at)}{over}"


def _in_zone_of_reader(moment: datetime) -> str:
    stamp = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return f"{{{{DATE({stamp}, SHORT)}}}} {{{{TIME({stamp})}}}}"
