"""Subscriptions: made when both addresses answer, until they expire."""

import http.client
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from tests.fake_graph.wire import Answer, GraphError, Request

MOST = timedelta(minutes=10_080)
LEAST = timedelta(minutes=45)
PATIENCE = 10  # seconds for the validation


@dataclass(kw_only=True, slots=True)
class Subscribed:
    id: str
    resource: str
    change_type: str
    notification_url: str
    lifecycle_url: str
    client_state: str
    expires_at: datetime
    immutable_ids: bool

    def to_json(self) -> dict[str, Any]:
        """Without the client state, which Graph never shows again."""
        return {
            "id": self.id,
            "resource": self.resource,
            "changeType": self.change_type,
            "notificationUrl": self.notification_url,
            "lifecycleNotificationUrl": self.lifecycle_url,
            "expirationDateTime": instant(self.expires_at),
            "clientState": None,
        }


class Subscriptions:
    """All subscriptions of the one app that the fake knows."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.most = MOST
        self.refused = False
        self._known: dict[str, Subscribed] = {}

    def all(self) -> list[Subscribed]:
        moment = self.now()
        self._known = {key: each for key, each in self._known.items() if each.expires_at > moment}
        return list(self._known.values())

    def get(self, key: str) -> Subscribed:
        for each in self.all():
            if each.id == key:
                return each
        raise GraphError(404, "ResourceNotFound", "The object was not found.")

    def create(self, request: Request) -> Answer:
        if self.refused:
            raise GraphError(403, "ExtensionError", "Operation: Create; Exception: [Status Code: Forbidden]")
        made = self._from(request.json(), immutable_ids=request.wants_immutable_ids)
        if any((each.resource, each.change_type) == (made.resource, made.change_type) for each in self.all()):
            raise GraphError(409, "ExtensionError", "Subscription already exists for the specified resource.")
        for url in filter(None, (made.notification_url, made.lifecycle_url)):
            validate(url)
        self._known[made.id] = made
        return Answer.of({**made.to_json(), "clientState": made.client_state}, status=201)

    def renew(self, key: str, request: Request) -> Answer:
        subscribed = self.get(key)
        facts = request.json()
        if set(facts) != {"expirationDateTime"}:
            raise GraphError(400, "InvalidRequest", "Only expirationDateTime can be changed.")
        subscribed.expires_at = self._expiry(facts)
        return Answer.of(subscribed.to_json())

    def remove(self, key: str) -> Answer:
        self.get(key)
        del self._known[key]
        return Answer(status=204)

    def _from(self, facts: dict[str, Any], *, immutable_ids: bool) -> Subscribed:
        missing = {"changeType", "notificationUrl", "resource", "expirationDateTime"} - facts.keys()
        if missing:
            raise GraphError(400, "InvalidRequest", f"Missing: {', '.join(sorted(missing))}")
        if len(facts.get("clientState") or "") > 128:
            raise GraphError(400, "InvalidRequest", "clientState is longer than 128 characters.")
        return Subscribed(
            id=str(uuid.uuid4()),
            resource=facts["resource"].lstrip("/"),
            change_type=facts["changeType"],
            notification_url=facts["notificationUrl"],
            lifecycle_url=facts.get("lifecycleNotificationUrl") or "",
            client_state=facts.get("clientState") or "",
            expires_at=self._expiry(facts),
            immutable_ids=immutable_ids,
        )

    def _expiry(self, facts: dict[str, Any]) -> datetime:
        try:
            wanted = datetime.fromisoformat(facts["expirationDateTime"]).astimezone(UTC)
        except (TypeError, ValueError) as problem:
            raise GraphError(400, "BadRequest", "expirationDateTime is no time.") from problem
        moment = self.now()
        if not moment < wanted <= moment + self.most:
            minutes = int(self.most.total_seconds() // 60)
            raise GraphError(
                400, "ExtensionError", f"Subscription expiration can only be {minutes} minutes in the future."
            )
        return max(wanted, moment + LEAST)


def validate(url: str) -> None:
    """Call an address as Graph does before it sends anything there."""
    token = f"Validation: Testing client application reachability for subscription {uuid.uuid4()}"
    address = f"{url}{'&' if '?' in url else '?'}validationToken={quote(token)}"
    try:
        status, kind, body = post(address, b"", kind="text/plain; charset=utf-8")
    except OSError as problem:
        raise _not_validated("NotFound") from problem
    if status != 200 or not kind.startswith("text/plain") or body.decode() != token:
        raise _not_validated(str(status))


def post(url: str, body: bytes, *, kind: str = "application/json") -> tuple[int, str, bytes]:
    """Send, and return status, content type and body; proxies of the surroundings are left out."""
    parts = urlsplit(url)
    made = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = made(parts.netloc, timeout=PATIENCE)
    try:
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        connection.request("POST", target, body, {"Content-Type": kind})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("Content-Type", ""), answer.read()
    except http.client.HTTPException as problem:
        raise OSError(str(problem)) from problem
    finally:
        connection.close()


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _not_validated(reason: str) -> GraphError:
    return GraphError(
        400, "ValidationError", f"Subscription validation request failed. HTTP status code is '{reason}'."
    )
