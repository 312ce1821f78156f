"""What the app asks of a mailbox in Microsoft Graph, whoever answers. The real one is in graph.py."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True, slots=True)
class Folder:
    """A folder of the mailbox; `path` as people read it ("Inbox/Backup"), `total` the mails in it.

    `is_inbox` tells the folder that Graph also knows as "inbox", in whatever language people see it.
    """

    graph_id: str
    path: str
    total: int
    is_inbox: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Arrived:
    """One message of a delta page. `content` is its JSON in UTF-8, as Graph sent it."""

    graph_id: str
    received_at: datetime
    content: bytes


@dataclass(frozen=True, kw_only=True, slots=True)
class DeltaPage:
    """One page of changes, without removed items. `link` leads to the next page, on the last one to the next delta.

    `broken` counts the items without an id or a time of arrival: nothing can be done with them.
    """

    arrived: tuple[Arrived, ...]
    link: str
    is_last: bool
    broken: int = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class Subscription:
    """Graph's promise to notify us until `expires_at`."""

    subscription_id: str
    resource: str
    expires_at: datetime


class GraphMailbox(Protocol):
    """One mailbox. Every call may raise `Upstream`; at most four requests are under way at once.

    Short waits that Graph asks for (429) happen inside a call; a longer one is raised as `Throttled`. All ids are
    immutable ids.
    """

    address: str

    @property
    def requests(self) -> int:
        """How many requests were made so far, repeated ones included."""

    def folders(self) -> list[Folder]:
        """Return all mail folders, hidden ones excluded, by path."""

    def delta(self, folder_id: str, *, link: str | None, since: datetime) -> DeltaPage:
        """Return the page behind `link`, else the first page of mails received `since`. Raise SyncStateLost."""

    def ids_since(self, folder_id: str, since: datetime) -> Iterator[str]:
        """Yield the ids of all mails received since; for the gap check."""

    def message(self, graph_id: str) -> Arrived:
        """Return one message as `delta` would. Raise NotFound."""

    def mime(self, graph_ids: Sequence[str]) -> Iterator[tuple[str, bytes | None]]:
        """Yield each mail's bytes with its id, in any order, up to four at a time; None where it is gone.

        What goes wrong with one mail is raised after the others.
        """

    def move(self, graph_ids: Sequence[str], folder_id: str) -> dict[str, str]:
        """Move mails in batches of 20; return a reason for each that didn't: others moved, or are no longer there."""

    def ensure_folder(self, name: str) -> str:
        """Return the id of the top-level folder of that display name, made when missing."""

    def subscribe(self, folder_id: str, *, notify: str, lifecycle: str, secret: str, until: datetime) -> Subscription:
        """Ask to be told of new mails in a folder. Graph validates both addresses during the call.

        It may last shorter than `until`. Raise NotAllowed where subscriptions are refused: polling alone, then.
        """

    def renew(self, subscription_id: str, until: datetime) -> Subscription:
        """Extend a subscription, which also re-authorises it. Raise NotFound when it must be made anew."""

    def unsubscribe(self, subscription_id: str) -> None:
        """End a subscription; one that is gone is no error."""

    def subscriptions(self) -> Iterable[Subscription]:
        """Return this app's subscriptions on the mailbox."""
