"""The mailbox in Microsoft Graph. Only the worker that holds the mailbox's lease uses it.

Importing this module loads neither the SDK nor azure.identity; the first call does.
"""

import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import fields
from datetime import datetime
from itertools import islice

from shared.clients import graph_asks as asks
from shared.clients import graph_subscriptions
from shared.clients.errors import BadAnswer, NotFound, Refused, Unavailable, Upstream
from shared.clients.graph_answers import FolderAnswer, ItemId, Items, MessageHead, as_json, checked
from shared.clients.graph_line import AT_ONCE, GraphLine
from shared.clients.graph_login import credential
from shared.clients.graph_mailbox import Arrived, DeltaPage, Folder, GraphMailbox, Subscription
from shared.clients.graph_moves import move_all
from shared.clients.graph_pages import items, own_link, usable
from shared.clients.patience import Patience
from shared.settings import BadSetting, Settings

FAULTS_BORNE = 3  # by a series of downloads: after that it isn't the mail


_opening = threading.Lock()
_open: dict[tuple[str, ...], "GraphClient"] = {}


def open_mailbox(settings: Settings) -> GraphMailbox:
    """Return the mailbox of the settings, the same one every time: its connections and its token last.

    Raise BadSetting when they name no mailbox or nothing to sign in with.
    """
    key = tuple(getattr(settings, each.name) for each in fields(settings) if each.name.startswith("graph_"))
    with _opening:
        if key not in _open:
            _open[key] = GraphClient(settings.graph_mailbox, connect(settings))
        return _open[key]


def connect(settings: Settings, *, patience: Patience | None = None) -> GraphLine:
    """Return a new line that signs in by the settings. Raise BadSetting."""
    if not settings.graph_mailbox:
        raise BadSetting("GRAPH_MAILBOX is not set: the address of the mailbox that receives the reports")
    return GraphLine(settings.graph_base_url, credential(settings), patience=patience)


class GraphClient:
    """A mailbox at the end of a line."""

    def __init__(self, address: str, line: GraphLine) -> None:
        self.address = address
        self._line = line

    @property
    def requests(self) -> int:
        return self._line.requests

    def close(self) -> None:
        self._line.close()

    def folders(self) -> list[Folder]:
        inbox = checked(ItemId, self._line.call(asks.folder(self.address, "inbox"))).id
        found: list[Folder] = []
        waiting = [("", each) for each in self._folders(None)]
        while waiting:
            above, answer = waiting.pop()
            path = f"{above}{answer.name}"
            found.append(Folder(graph_id=answer.id, path=path, total=answer.total, is_inbox=answer.id == inbox))
            if answer.children:
                waiting.extend((f"{path}/", each) for each in self._folders(answer.id))
        return sorted(found, key=lambda folder: folder.path.casefold())

    def delta(self, folder_id: str, *, link: str | None, since: datetime) -> DeltaPage:
        if link is None:
            ask = asks.first_delta(self.address, folder_id, since)
        else:
            ask = asks.further_delta(own_link(self._line, link))
        page = checked(Items, self._line.call(ask))
        onwards = page.next_link or page.delta_link
        if onwards is None:
            raise BadAnswer("Microsoft Graph's page has no link onwards")
        arrived = [_arrived(each) for each in page.value if not _is_removed(each)]
        return DeltaPage(
            arrived=tuple(each for each in arrived if each is not None),
            link=own_link(self._line, onwards),
            is_last=page.next_link is None,
            broken=arrived.count(None),
        )

    def ids_since(self, folder_id: str, since: datetime) -> Iterator[str]:
        for each in items(self._line, asks.message_ids(self.address, folder_id, since), ItemId):
            yield each.id

    def message(self, graph_id: str) -> Arrived:
        arrived = _arrived(as_json(self._line.call(asks.message(self.address, graph_id))))
        if arrived is None:
            raise BadAnswer("Microsoft Graph's message has no id or no time of arrival")
        return arrived

    def mime(self, graph_ids: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        waiting = iter(graph_ids)
        under_way = {self._start_mime(each): each for each in islice(waiting, AT_ONCE)}
        faults: list[Upstream] = []
        try:
            while under_way:
                for done in wait(under_way, return_when=FIRST_COMPLETED).done:
                    graph_id = under_way.pop(done)
                    try:
                        yield graph_id, _mime_of(done)
                    except (Unavailable, Refused, BadAnswer) as problem:
                        faults.append(problem)
                        if len(faults) == FAULTS_BORNE:
                            raise
                    under_way.update({self._start_mime(each): each for each in islice(waiting, 1)})
        finally:
            for each in under_way:
                each.cancel()
        if faults:
            raise faults[0]

    def move(self, graph_ids: Sequence[str], folder_id: str) -> dict[str, str]:
        return move_all(self._line, self.address, graph_ids, folder_id)

    def ensure_folder(self, name: str) -> str:
        found = self._folder_named(name)
        if found is None:
            try:
                body = self._line.call(asks.create_folder(self.address, name))
            except Refused:
                found = self._folder_named(name)  # made meanwhile, or by an attempt whose answer was lost
                if found is None:
                    raise
            else:
                found = checked(ItemId, body).id
        return found

    def subscribe(self, folder_id: str, *, notify: str, lifecycle: str, secret: str, until: datetime) -> Subscription:
        resource = f"users/{self.address}/mailFolders/{folder_id}/messages"
        return graph_subscriptions.subscribe(
            self._line, resource, notify=notify, lifecycle=lifecycle, secret=secret, until=until
        )

    def renew(self, subscription_id: str, until: datetime) -> Subscription:
        return graph_subscriptions.renew(self._line, subscription_id, until)

    def unsubscribe(self, subscription_id: str) -> None:
        graph_subscriptions.unsubscribe(self._line, subscription_id)

    def subscriptions(self) -> Iterable[Subscription]:
        return graph_subscriptions.subscriptions(self._line, self.address)

    def _folders(self, parent: str | None) -> Iterator[FolderAnswer]:
        ask = asks.folders(self.address) if parent is None else asks.child_folders(self.address, parent)
        return items(self._line, ask, FolderAnswer)

    def _folder_named(self, name: str) -> str | None:
        return next((each.id for each in self._folders(None) if each.name.casefold() == name.casefold()), None)

    def _start_mime(self, graph_id: str) -> Future[bytes]:
        return self._line.start(asks.mime(self.address, graph_id))


def _mime_of(done: Future[bytes]) -> bytes | None:
    try:
        return done.result()
    except NotFound:
        return None


def _is_removed(item: object) -> bool:
    return isinstance(item, dict) and "@removed" in item


def _arrived(item: object) -> Arrived | None:
    """Return the message, None where there is nothing to know it by. JSON in ASCII also holds halves of signs."""
    head = usable(MessageHead, item)
    if head is None:
        return None
    return Arrived(graph_id=head.id, received_at=head.received_at, content=json.dumps(item).encode())
