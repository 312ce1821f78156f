"""The queues of an Azure storage account. Its library is heavy, so it is loaded by the first call."""

import base64
import binascii
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from shared.clients.errors import Unavailable
from shared.clients.queues import PATIENCE, Taken
from shared.domain.queue_message import Queue

if TYPE_CHECKING:
    from azure.storage.queue import QueueClient, QueueServiceClient

T = TypeVar("T")

# A page may wait for `send`: give up soon, a sweep does what was not sent. One more try, after about half a second.
QUICKLY: dict[str, Any] = {
    "connection_timeout": 5,
    "read_timeout": 10,
    "retry_total": 1,
    "initial_backoff": 0.4,
    "increment_base": 0,
    "random_jitter_range": 0.3,
}


class AzureQueues:
    """Opened by a connection string, or by the address of the service and a managed identity. Makes missing queues.

    Bodies travel in base64, because host.json tells the platform so.
    """

    def __init__(self, *, connection: str = "", uri: str = "", identity_client_id: str = "") -> None:
        self._connection = connection
        self._uri = uri
        self._identity_client_id = identity_client_id
        self._lock = threading.Lock()
        self._service: QueueServiceClient | None = None
        self._clients: dict[str, QueueClient] = {}

    def send(self, queue: Queue, messages: Sequence[str], *, delay: timedelta = timedelta()) -> None:
        for body in messages:
            self.put(queue.value, body, delay=delay)

    def waiting(self, queue: Queue) -> int:
        found = self._ask(queue.value, lambda client: client.get_queue_properties())
        return int(found.approximate_message_count or 0)

    def put(self, name: str, body: str, *, delay: timedelta = timedelta()) -> None:
        seconds = _seconds(delay)
        self._ask(name, lambda client: client.send_message(body, visibility_timeout=seconds))

    def take(self, name: str) -> Taken | None:
        found = self._ask(name, lambda client: client.receive_message(visibility_timeout=_seconds(PATIENCE)))
        if found is None:
            return None
        return Taken(
            queue=name,
            message_id=found.id,
            body=_decoded(found.content),
            dequeues=found.dequeue_count or 1,
            receipt=found.pop_receipt or "",
        )

    def remove(self, taken: Taken) -> None:
        self._ask(taken.queue, lambda client: client.delete_message(taken.message_id, taken.receipt))

    def give_back(self, taken: Taken, delay: timedelta) -> None:
        seconds = _seconds(delay)
        self._ask(
            taken.queue,
            lambda client: client.update_message(taken.message_id, taken.receipt, visibility_timeout=seconds),
        )

    def close(self) -> None:
        """Give connections back; the next call opens new ones."""
        with self._lock:
            for client in self._clients.values():
                client.close()
            if self._service is not None:
                self._service.close()
            self._clients, self._service = {}, None

    def _ask(self, name: str, call: Callable[["QueueClient"], T]) -> T:
        """Make a call on a queue, which is made when it is missing."""
        from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError

        with _as_unavailable(name):
            client = self._client(name)
            try:
                return call(client)
            except ResourceNotFoundError as problem:
                if getattr(problem, "error_code", "") != "QueueNotFound":
                    raise
            with suppress(ResourceExistsError):  # somebody else was faster
                client.create_queue()
            return call(client)

    def _client(self, name: str) -> "QueueClient":
        from azure.storage.queue import TextBase64EncodePolicy

        with self._lock:
            if self._service is None:
                self._service = self._open()
            if name not in self._clients:
                encode = TextBase64EncodePolicy()
                self._clients[name] = self._service.get_queue_client(name, message_encode_policy=encode)
            return self._clients[name]

    def _open(self) -> "QueueServiceClient":
        from azure.storage.queue import QueueServiceClient

        # It tells every request at info.
        logging.getLogger("azure.core.pipeline.policies.http_logging_policy").setLevel(logging.WARNING)
        if self._connection:
            return QueueServiceClient.from_connection_string(self._connection, **QUICKLY)
        from azure.identity import ManagedIdentityCredential

        credential = ManagedIdentityCredential(client_id=self._identity_client_id or None)
        return QueueServiceClient(self._uri, credential=credential, **QUICKLY)


@contextmanager
def _as_unavailable(name: str) -> Iterator[None]:
    """Say without details what failed: the library's words can hold signed addresses."""
    from azure.core.exceptions import AzureError

    try:
        yield
    except (AzureError, ValueError) as problem:  # ValueError: a connection string that is none
        raise Unavailable(f"the queue service failed on {name}: {type(problem).__name__}") from problem


def _decoded(content: str) -> str:
    """Return the text in `content`; as it is when somebody put it there without base64."""
    try:
        return base64.b64decode(content, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return content


def _seconds(delay: timedelta) -> int:
    return max(0, round(delay.total_seconds()))
