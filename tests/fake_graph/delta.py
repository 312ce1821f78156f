"""Rounds of changes: pages, then a link by which the next round begins."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from tests.fake_graph.faults import Effect
from tests.fake_graph.odata import check_options, received_since, selected
from tests.fake_graph.wire import GraphError, Request
from tests.fake_graph.world import Folder, Mailbox, Message

OPTIONS = {"$select", "$filter", "$orderby", "$top", "changeType"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Round:
    """Where a reader stands: `changes` are the ids of this round, `moment` is when the next one begins."""

    mailbox: str
    folder: str
    since: datetime | None
    select: tuple[str, ...]
    created_only: bool
    moment: int
    changes: tuple[str, ...] = ()
    removed: tuple[tuple[str, str], ...] = ()
    place: int = 0


class Deltas:
    """The tokens that were handed out."""

    def __init__(self) -> None:
        self._rounds: dict[str, Round] = {}

    def expire(self) -> None:
        """Forget all tokens, as Exchange does when its cache is full."""
        self._rounds.clear()

    def page(self, mailbox: Mailbox, folder: Folder, request: Request, spoilt: Effect | None) -> dict[str, Any]:
        here = self._round(mailbox, folder, request)
        size = request.page_size
        following = here if spoilt is Effect.EMPTY else replace(here, place=here.place + size, removed=())
        values = [] if spoilt is Effect.EMPTY else _values(mailbox, here, request, repeat=spoilt is Effect.REPEAT)
        if spoilt is Effect.REMOVED:
            values.insert(0, {"id": f"AAMkgone{secrets.token_hex(8)}", "@removed": {"reason": "deleted"}})
        if spoilt is Effect.BROKEN:
            values[:0] = [{"subject": "no id"}, {"id": "AAMkbroken", "receivedDateTime": None}]
        return {
            "@odata.context": f"{request.base}/$metadata#Collection(message)",
            "value": values,
            **self._link(mailbox, folder, request, following),
        }

    def _round(self, mailbox: Mailbox, folder: Folder, request: Request) -> Round:
        token = request.query.get("$skiptoken") or request.query.get("$deltatoken")
        if token is None:
            return _first_round(mailbox, folder, request)
        if len(request.query) > 1:
            raise GraphError(400, "BadRequest", "Options are part of the token.")
        here = self._rounds.get(token)
        if here is None or (here.mailbox, here.folder) != (mailbox.address, folder.id):
            raise GraphError(410, "syncStateNotFound", "The sync state generation is not found; please resync.")
        return _filled(mailbox, here) if "$deltatoken" in request.query else here

    def _link(self, mailbox: Mailbox, folder: Folder, request: Request, following: Round) -> dict[str, str]:
        is_last = following.place >= len(following.changes)
        token = secrets.token_urlsafe(24)
        self._rounds[token] = replace(following, changes=(), place=0) if is_last else following
        kind, option = ("deltaLink", "$deltatoken") if is_last else ("nextLink", "$skiptoken")
        address = f"{request.base}/users/{mailbox.address}/mailFolders/{quote(folder.id, safe='')}/messages/delta"
        return {f"@odata.{kind}": f"{address}?{option}={token}"}


def _first_round(mailbox: Mailbox, folder: Folder, request: Request) -> Round:
    check_options(request, OPTIONS)
    if request.query.get("$orderby", "receivedDateTime desc").lower() != "receiveddatetime desc":
        raise GraphError(400, "BadRequest", "Only receivedDateTime desc is supported.")
    if request.query.get("changeType", "created") not in ("created", "updated", "deleted"):
        raise GraphError(400, "BadRequest", "Unknown changeType.")
    start = Round(
        mailbox=mailbox.address,
        folder=folder.id,
        since=received_since(request),
        select=selected(request),
        created_only=request.query.get("changeType") == "created",
        moment=0,
    )
    return _filled(mailbox, start)


def _filled(mailbox: Mailbox, start: Round) -> Round:
    """Begin a round: what came since the last one began."""
    came = [each for each in mailbox.within(start.folder) if each.entered > start.moment]
    within = [each for each in came if start.since is None or each.received_at >= start.since]
    removed = () if start.created_only or not start.moment else mailbox.removed_since(start.folder, start.moment)
    changes = tuple(each.immutable_id for each in within)
    return replace(start, changes=changes, removed=tuple(removed), place=0, moment=mailbox.clock)


def _values(mailbox: Mailbox, here: Round, request: Request, *, repeat: bool) -> list[dict[str, Any]]:
    first = max(0, here.place - 3) if repeat else here.place
    page = here.changes[first : here.place + request.page_size]
    still_there = [mailbox.messages[each] for each in page if _is_in(mailbox, each, here.folder)]
    immutable = request.wants_immutable_ids
    removed = [{"id": ids[0 if immutable else 1], "@removed": {"reason": "changed"}} for ids in here.removed]
    return [*_shown(still_there, here.select, immutable=immutable), *removed]


def _is_in(mailbox: Mailbox, immutable_id: str, folder: str) -> bool:
    message = mailbox.messages.get(immutable_id)
    return message is not None and message.folder == folder


def _shown(messages: Sequence[Message], select: Sequence[str], *, immutable: bool) -> list[dict[str, Any]]:
    return [each.to_json(immutable=immutable, select=select) for each in messages]
