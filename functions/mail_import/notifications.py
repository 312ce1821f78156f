"""What a call of Graph says, and whether Graph says it. Pure, and the standard library alone, for the cold start.

Anybody can call: what a body says counts only with the secret that we gave Graph, item by item.
"""

import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shared.domain.queue_message import WakeReason

LARGEST_BODY = 256 * 1024
LONGEST_TOKEN = 1024

LIFECYCLE = {
    "reauthorizationRequired": WakeReason.LIFECYCLE_REAUTHORIZE,
    "subscriptionRemoved": WakeReason.LIFECYCLE_REMOVED,
    "missed": WakeReason.LIFECYCLE_MISSED,
}


class BadBody(Exception):
    """Not what Graph sends."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Heard:
    """The items of one call: those that are Graph's own, and how many somebody else made up."""

    genuine: tuple[dict[str, Any], ...]
    forged: int

    @property
    def lifecycle(self) -> tuple[WakeReason, ...]:
        """Return what the lifecycle events ask for, each once; those that we do not know are left out."""
        said = [item.get("lifecycleEvent") for item in self.genuine]
        return tuple(reason for event, reason in LIFECYCLE.items() if event in said)


NOTHING = Heard(genuine=(), forged=0)


def is_echoable(token: str) -> bool:
    """Tell whether a validation token may be sent back; it comes from whoever calls."""
    return 0 < len(token) <= LONGEST_TOKEN and token.isprintable()


def hear(body: bytes, *, secret: str) -> Heard:
    """Return what a body says; without a secret everything is forged. Raise BadBody."""
    items = _items(body)
    # Every item is compared, in the same way: how long it takes tells nothing.
    verdicts = [_is_genuine(item, secret) for item in items]
    genuine = tuple(item for item, is_ours in zip(items, verdicts, strict=True) if is_ours)
    return Heard(genuine=genuine, forged=len(items) - len(genuine))


def _items(body: bytes) -> Sequence[Any]:
    try:
        facts = json.loads(body)
    except (ValueError, RecursionError) as problem:
        raise BadBody("not JSON") from problem
    items = facts.get("value") if isinstance(facts, dict) else None
    if not isinstance(items, list):
        raise BadBody("no list of notifications")
    return items


def _is_genuine(item: Any, secret: str) -> bool:  # noqa: ANN401 -- any JSON
    said = item.get("clientState") if isinstance(item, dict) else None
    text = said if isinstance(said, str) else ""
    is_equal = hmac.compare_digest(text.encode("utf-8", "replace"), secret.encode())
    return is_equal and secret != ""
