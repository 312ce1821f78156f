"""What each address answers."""

import json
import random
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from tests.fake_graph.delta import Deltas
from tests.fake_graph.faults import Effect, Fault, Faults
from tests.fake_graph.odata import check_options, paged, received_since, selected
from tests.fake_graph.subscriptions import Subscriptions
from tests.fake_graph.wire import Answer, GraphError, Request
from tests.fake_graph.world import Folder, Mailbox

MAX_BATCH = 20


class Graph:
    """All that Graph knows, behind one lock; validation calls to others are made outside it."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.lock = threading.RLock()
        self.mailboxes: dict[str, Mailbox] = {}
        self.forbidden: set[str] = set()  # mailboxes that exist and that the app has no right to
        self.may_write = True
        self.deltas = Deltas()
        self.subscriptions = Subscriptions(now)
        self.faults = Faults()
        self.journal: Callable[[Request, int, Fault | None], None] = lambda *_: None
        self.disorder = random.Random(0)

    def answer(self, request: Request, fault: Fault | None = None) -> Answer:
        """Never raises: a refusal is an answer too."""
        try:
            if fault and fault.effect is Effect.STATUS:
                if fault.late:
                    self._route(request, None)
                raise fault.error
            return self._route(request, fault.effect if fault and fault.effect.spoils_pages else None)
        except GraphError as refusal:
            return refusal.answer

    def _route(self, request: Request, spoilt: Effect | None) -> Answer:
        match request.method, request.segments:
            case "POST", ["$batch"]:
                return self._batch(request)
            case "POST", ["subscriptions"]:
                return self.subscriptions.create(request)
        with self.lock:
            match request.segments:
                case ["subscriptions", *rest]:
                    return self._subscriptions(request, rest)
                case ["users", address, *rest]:
                    return self._mailbox(self._allowed(address), request, rest, spoilt)
        raise GraphError(400, "BadRequest", f"Resource not found for the segment '{request.segments[0]}'.")

    def _subscriptions(self, request: Request, rest: list[str]) -> Answer:
        match request.method, rest:
            case "GET", []:
                return Answer.of({"value": [each.to_json() for each in self.subscriptions.all()]})
            case "GET", [key]:
                return Answer.of(self.subscriptions.get(key).to_json())
            case "PATCH", [key]:
                return self.subscriptions.renew(key, request)
            case "DELETE", [key]:
                return self.subscriptions.remove(key)
        raise _no_such_address(request)

    def _mailbox(self, mailbox: Mailbox, request: Request, rest: list[str], spoilt: Effect | None) -> Answer:
        match request.method, rest:
            case "GET", ["mailFolders"]:
                return _folders(mailbox, None, request)
            case "POST", ["mailFolders"]:
                self._check_may_write()
                return Answer.of(_folder(mailbox, mailbox.add_folder(request.json()["displayName"])), status=201)
            case "GET", ["mailFolders", key, *what]:
                return self._folder(mailbox, mailbox.folder(key), request, what, spoilt)
            case _, ["messages", key, *action]:
                return self._message(mailbox, key, request, action)
        raise _no_such_address(request)

    def _folder(
        self, mailbox: Mailbox, folder: Folder, request: Request, what: list[str], spoilt: Effect | None
    ) -> Answer:
        match what:
            case []:
                return Answer.of(_folder(mailbox, folder))
            case ["childFolders"]:
                return _folders(mailbox, folder.id, request)
            case ["messages", "delta" | "delta()"]:
                return Answer.of(self.deltas.page(mailbox, folder, request, spoilt))
            case ["messages"]:
                return _messages(mailbox, folder, request)
        raise _no_such_address(request)

    def _message(self, mailbox: Mailbox, key: str, request: Request, action: list[str]) -> Answer:
        if request.method != "GET":
            self._check_may_write()
        message = mailbox.message(key)
        match request.method, action:
            case "GET", []:
                return Answer.of(message.to_json(immutable=request.wants_immutable_ids, select=selected(request)))
            case "GET", ["$value"]:
                return Answer(body=message.mime, headers={"Content-Type": "text/plain"})
            case "POST", ["move"]:
                mailbox.move(message, mailbox.folder(request.json()["destinationId"]))
                return Answer.of(message.to_json(immutable=request.wants_immutable_ids), status=201)
        raise _no_such_address(request)

    def _batch(self, request: Request) -> Answer:
        """Carry out the parts one by one and answer them in any order, each with a status of its own."""
        parts = request.json().get("requests", [])
        if not 0 < len(parts) <= MAX_BATCH or len({part["id"] for part in parts}) < len(parts):
            raise GraphError(400, "BadRequest", f"A batch holds 1 to {MAX_BATCH} requests with ids of their own.")
        answers = [self._part(part, request) for part in parts]
        self.disorder.shuffle(answers)
        return Answer.of({"responses": answers})

    def _part(self, part: dict[str, Any], outer: Request) -> dict[str, Any]:
        body = json.dumps(part["body"]).encode() if "body" in part else b""
        headers = part.get("headers", {})
        request = replace(Request.parse(part["method"], part["url"], headers, body, base=outer.base), inner=True)
        if body and request.headers.get("content-type") != "application/json":
            refusal = GraphError(400, "BadRequest", "A part with a body needs a Content-Type.")
            return {"id": part["id"], "status": 400, "headers": {}, "body": json.loads(refusal.answer.body)}
        fault = self.faults.take(request)
        answer = self.answer(request, fault)
        self.journal(request, answer.status, fault)
        shown = json.loads(answer.body) if answer.body else None
        return {"id": part["id"], "status": answer.status, "headers": dict(answer.headers), "body": shown}

    def _allowed(self, address: str) -> Mailbox:
        if address.lower() in self.forbidden:
            raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
        mailbox = self.mailboxes.get(address.lower())
        if mailbox is None:
            raise GraphError(404, "ErrorInvalidUser", f"The requested user '{address}' is invalid.")
        return mailbox

    def _check_may_write(self) -> None:
        if not self.may_write:
            raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")


def _folders(mailbox: Mailbox, parent: str | None, request: Request) -> Answer:
    check_options(request, {"$top", "$skip", "$select", "includeHiddenFolders"})
    shown = [
        each
        for each in mailbox.children(parent)
        if not each.hidden or request.query.get("includeHiddenFolders") == "true"
    ]
    page, link = paged(request, shown)
    return Answer.of({"value": [_folder(mailbox, each) for each in page], **link})


def _folder(mailbox: Mailbox, folder: Folder) -> dict[str, Any]:
    return {
        "id": folder.id,
        "displayName": folder.name,
        "parentFolderId": folder.parent or "AAMkroot",
        "childFolderCount": len(mailbox.children(folder.id)),
        "totalItemCount": len(mailbox.within(folder.id)),
        "unreadItemCount": 0,
        "isHidden": folder.hidden,
    }


def _messages(mailbox: Mailbox, folder: Folder, request: Request) -> Answer:
    check_options(request, {"$filter", "$select", "$top", "$skip", "$orderby"})
    since, select = received_since(request), selected(request)
    found = [each for each in mailbox.within(folder.id) if since is None or each.received_at >= since]
    if request.query.get("$orderby", "receivedDateTime desc") == "receivedDateTime":
        found.reverse()
    page, link = paged(request, found)
    values = [each.to_json(immutable=request.wants_immutable_ids, select=select) for each in page]
    return Answer.of({"value": values, **link})


def _no_such_address(request: Request) -> GraphError:
    return GraphError(400, "BadRequest", f"No {request.method} here.")
