"""The server on loopback, and what a test does to the mailbox behind it."""

import itertools
import json
import random
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Self

from shared import clock
from tests.fake_graph import eml
from tests.fake_graph.faults import Faults
from tests.fake_graph.listener import Listener
from tests.fake_graph.routes import Graph
from tests.fake_graph.subscriptions import Subscribed, instant, post
from tests.fake_graph.wire import Call
from tests.fake_graph.world import Folder, Mailbox, Message

ADDRESS = "reports@msp.example"
_numbers = itertools.count(1)


class FakeGraph:
    """Microsoft Graph with one mailbox that we may read, and one that we may not.

    A context manager: the server runs inside. Nothing here waits or asks the time but through `now`.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        address: str = ADDRESS,
        now: Callable[[], datetime] = clock.now,
        faults: Faults | None = None,
    ) -> None:
        self.now = now
        self.graph = Graph(now)
        self.graph.faults = faults or self.graph.faults
        self.mailbox = self.add_mailbox(address)
        self.graph.forbidden.add("boss@msp.example")
        self.notifies_by_itself = False
        self.listener = Listener(self.graph, port)

    def __enter__(self) -> Self:
        self.listener.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.listener.stop()

    @property
    def url(self) -> str:
        """What `GRAPH_BASE_URL` is set to."""
        return f"http://127.0.0.1:{self.listener.port}/v1.0"

    @property
    def faults(self) -> Faults:
        return self.graph.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self.graph.faults = faults

    @property
    def calls(self) -> list[Call]:
        """The journal of all requests; those inside a batch are marked `inner`."""
        return list(self.listener.journal)

    def calls_to(self, part: str, *, method: str = "") -> list[Call]:
        return [call for call in self.calls if part in call.path and method in ("", call.method)]

    @property
    def most_at_once(self) -> int:
        """How many requests were under way at once at most; the fifth is refused."""
        return self.listener.most_at_once

    def add_mailbox(self, address: str) -> Mailbox:
        self.graph.mailboxes[address] = Mailbox(address)
        return self.graph.mailboxes[address]

    def add_folder(self, path: str) -> Folder:
        """Return the folder of that path ("Inbox/Backup"), made when missing."""
        with self.graph.lock:
            return self.mailbox.by_path(path)

    def deliver(
        self,
        raw: bytes | None = None,
        *,
        folder: str = "Inbox",
        received_at: datetime | None = None,
        subject: str | None = None,
        body: str = "All fine.",
        html: bool = False,
        sender: str = "Backup <backup@customer.example>",
        attachment: bytes | None = None,
    ) -> Message:
        """Let a mail arrive: the bytes of an `.eml`, or one made of the other arguments."""
        received = (received_at or self.now()).astimezone(UTC)
        raw = raw or eml.make_eml(
            subject=subject or f"Report {next(_numbers)}", body=body, sender=sender, html=html, sent_at=received,
            attachment=attachment,
        )  # fmt: skip
        with self.graph.lock:
            message = self.mailbox.add(
                folder=self.mailbox.by_path(folder).id, received_at=received, fields=eml.message_fields(raw), mime=raw
            )
        if self.notifies_by_itself:
            self.notify(message)
        return message

    def delete(self, message: Message) -> None:
        """Somebody deletes a mail in the mailbox, for good."""
        with self.graph.lock:
            self.mailbox.remove(message)

    def move(self, message: Message, folder: str) -> None:
        """Somebody moves a mail in the mailbox."""
        with self.graph.lock:
            self.mailbox.move(message, self.mailbox.by_path(folder))

    def messages(self, folder: str | None = None) -> list[Message]:
        with self.graph.lock:
            place = self.mailbox.by_path(folder).id if folder else None
            return [each for each in self.mailbox.messages.values() if place in (None, each.folder)]

    def expire_tokens(self) -> None:
        """From now on no link of a page or of a next round is known."""
        with self.graph.lock:
            self.graph.deltas.expire()

    def subscriptions(self) -> list[Subscribed]:
        with self.graph.lock:
            return self.graph.subscriptions.all()

    def refuse_subscriptions(self, *, refused: bool = True) -> None:
        self.graph.subscriptions.refused = refused

    def notify(
        self,
        *messages: Message,
        copies: int = 1,
        shuffled: bool = False,
        client_state: str | None = None,
        url: str | None = None,
    ) -> list[int]:
        """Tell the subscribers of mails, each `copies` times, and return the statuses that they answered.

        `client_state` and `url` stand in for what was subscribed: somebody who forges a notification.
        """
        told = [(each, message) for each in self.subscriptions() for message in messages if self._covers(each, message)]
        told *= copies
        if shuffled:
            random.Random(0).shuffle(told)
        return [self._send(each, _notification(each, message, client_state), url) for each, message in told]

    def notify_at_once(self, messages: Sequence[Message]) -> list[int]:
        """Tell each subscriber of many mails in one request."""
        answers = []
        for each in self.subscriptions():
            items = [_notification(each, message, None) for message in messages if self._covers(each, message)]
            answers.append(_post(each.notification_url, items))
        return answers

    def lifecycle(self, event: str, *, client_state: str | None = None) -> list[int]:
        """Send `reauthorizationRequired`, `subscriptionRemoved` (which removes them) or `missed` to all subscribers."""
        known = self.subscriptions()
        if event == "subscriptionRemoved":
            for each in known:
                self.graph.subscriptions.remove(each.id)
        return [_post(each.lifecycle_url, [_event(each, event, client_state)]) for each in known]

    def _covers(self, subscribed: Subscribed, message: Message) -> bool:
        match subscribed.resource.split("/"):
            case ["users", address, "mailFolders", key, "messages"]:
                return address == self.mailbox.address and self.mailbox.folder(key).id == message.folder
            case ["users", address, "messages"]:
                return address == self.mailbox.address
        return False

    def _send(self, subscribed: Subscribed, item: dict[str, object], url: str | None) -> int:
        return _post(url or subscribed.notification_url, [item])


def _post(url: str, items: list[dict[str, object]]) -> int:
    """Return the status, 0 when nobody answered."""
    try:
        return post(url, json.dumps({"value": items}).encode())[0]
    except OSError:
        return 0


def _notification(subscribed: Subscribed, message: Message, client_state: str | None) -> dict[str, object]:
    key = message.immutable_id if subscribed.immutable_ids else message.id
    resource = f"Users/00000000-0000-0000-0000-000000000001/Messages/{key}"
    return {
        **_common(subscribed, client_state),
        "changeType": "created",
        "resource": resource,
        "resourceData": {
            "@odata.type": "#Microsoft.Graph.Message",
            "@odata.id": resource,
            "@odata.etag": f'W/"{message.entered}"',
            "id": key,
        },
    }


def _event(subscribed: Subscribed, event: str, client_state: str | None) -> dict[str, object]:
    return {**_common(subscribed, client_state), "lifecycleEvent": event, "resource": subscribed.resource}


def _common(subscribed: Subscribed, client_state: str | None) -> dict[str, object]:
    return {
        "subscriptionId": subscribed.id,
        "subscriptionExpirationDateTime": instant(subscribed.expires_at),
        "clientState": subscribed.client_state if client_state is None else client_state,
        "tenantId": "00000000-0000-0000-0000-000000000000",
    }
