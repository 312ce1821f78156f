"""The requests that we make of Graph."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

PAGE_SIZE = 50  # bodies of 90 KB make a page of 5 MB, the most that is good to hold
ID_PAGE_SIZE = 1000  # the most that Graph gives
FOLDER_PAGE_SIZE = 100
BATCH_SIZE = 20  # the most that Graph takes

IMMUTABLE_IDS = 'IdType="ImmutableId"'
MESSAGE = "id,internetMessageId,subject,from,sender,receivedDateTime,sentDateTime,hasAttachments,body,parentFolderId"


@dataclass(frozen=True, kw_only=True, slots=True)
class Ask:
    """A request: an address template below the base address and what fills it, or a link that Graph gave."""

    method: str = "GET"
    template: str = ""
    filled: Mapping[str, str] = field(default_factory=dict)
    link: str = ""
    body: Mapping[str, Any] | None = None
    page_size: int | None = None

    @property
    def prefer(self) -> str:
        """Immutable ids always: with any other kind, a mail that was moved would come again."""
        return IMMUTABLE_IDS if self.page_size is None else f"{IMMUTABLE_IDS}, odata.maxpagesize={self.page_size}"


def first_delta(address: str, folder_id: str, since: datetime) -> Ask:
    """Only what came: a move out of the folder, ours included, is no change that we want to hear of."""
    return Ask(
        template="/users/{user}/mailFolders/{folder}/messages/delta"
        "?changeType=created&$select={select}&$filter=receivedDateTime%20ge%20{since}",
        filled={"user": address, "folder": folder_id, "select": MESSAGE, "since": instant(since)},
        page_size=PAGE_SIZE,
    )


def further_delta(link: str) -> Ask:
    return Ask(link=link, page_size=PAGE_SIZE)


def further(link: str) -> Ask:
    """The options of the first request are part of the link."""
    return Ask(link=link)


def message_ids(address: str, folder_id: str, since: datetime) -> Ask:
    """Oldest first, so that mails that come meanwhile don't shift the pages."""
    return Ask(
        template="/users/{user}/mailFolders/{folder}/messages"
        "?$select=id&$filter=receivedDateTime%20ge%20{since}&$orderby=receivedDateTime&$top={top}",
        filled={"user": address, "folder": folder_id, "since": instant(since), "top": str(ID_PAGE_SIZE)},
    )


def message(address: str, graph_id: str) -> Ask:
    return Ask(
        template="/users/{user}/messages/{message}?$select={select}",
        filled={"user": address, "message": graph_id, "select": MESSAGE},
    )


def mime(address: str, graph_id: str) -> Ask:
    return Ask(template="/users/{user}/messages/{message}/$value", filled={"user": address, "message": graph_id})


def folders(address: str) -> Ask:
    return Ask(template="/users/{user}/mailFolders?$top={top}", filled={"user": address, "top": str(FOLDER_PAGE_SIZE)})


def child_folders(address: str, folder_id: str) -> Ask:
    return Ask(
        template="/users/{user}/mailFolders/{folder}/childFolders?$top={top}",
        filled={"user": address, "folder": folder_id, "top": str(FOLDER_PAGE_SIZE)},
    )


def folder(address: str, folder_id: str) -> Ask:
    return Ask(template="/users/{user}/mailFolders/{folder}", filled={"user": address, "folder": folder_id})


def newest(address: str, folder_id: str) -> Ask:
    """The least that proves that mails of a folder can be read."""
    return Ask(
        template="/users/{user}/mailFolders/{folder}/messages?$select=id&$top=1",
        filled={"user": address, "folder": folder_id},
    )


def create_folder(address: str, name: str) -> Ask:
    return Ask(
        method="POST", template="/users/{user}/mailFolders", filled={"user": address}, body={"displayName": name}
    )


def move(address: str, graph_id: str, folder_id: str) -> Ask:
    return Ask(
        method="POST",
        template="/users/{user}/messages/{message}/move",
        filled={"user": address, "message": graph_id},
        body={"destinationId": folder_id},
    )


def moves(address: str, graph_ids: Mapping[str, str], folder_id: str) -> Ask:
    """Move mails, by the keys of their parts. The headers of a batch don't count for its parts."""
    parts = [
        {
            "id": key,
            "method": "POST",
            "url": f"/users/{quote(address)}/messages/{quote(graph_id, safe='')}/move",
            "headers": {"Content-Type": "application/json", "Prefer": IMMUTABLE_IDS},
            "body": {"destinationId": folder_id},
        }
        for key, graph_id in graph_ids.items()
    ]
    return Ask(method="POST", template="/$batch", body={"requests": parts})


def subscriptions() -> Ask:
    return Ask(template="/subscriptions")


def create_subscription(facts: Mapping[str, str]) -> Ask:
    return Ask(method="POST", template="/subscriptions", body=facts)


def renew_subscription(subscription_id: str, expires_at: datetime) -> Ask:
    return Ask(
        method="PATCH",
        template="/subscriptions/{subscription}",
        filled={"subscription": subscription_id},
        body={"expirationDateTime": instant(expires_at)},
    )


def delete_subscription(subscription_id: str) -> Ask:
    return Ask(method="DELETE", template="/subscriptions/{subscription}", filled={"subscription": subscription_id})


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
