"""What a mailbox holds: folders and messages, and which of them came where in what order."""

import base64
import itertools
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tests.fake_graph.wire import GraphError

WELL_KNOWN = {"inbox": "Inbox", "archive": "Archive", "deleteditems": "Deleted Items", "junkemail": "Junk Email"}

_numbers = itertools.count(1)


def make_id(kind: str) -> str:
    """Return an id like Graph's: long, case-sensitive, with signs that an address must escape."""
    token = f"{kind}{next(_numbers):08d}{secrets.token_hex(6)}".encode()
    return "AAMk" + base64.urlsafe_b64encode(token).decode() + "-_="


@dataclass(kw_only=True, slots=True)
class Folder:
    name: str
    parent: str | None = None  # id; None = top level
    well_known: str = ""
    hidden: bool = False
    id: str = field(default_factory=lambda: make_id("folder"))


@dataclass(kw_only=True, slots=True)
class Message:
    """A message; `entered` counts up whenever one comes into a folder, so that a delta token can be a number."""

    folder: str
    received_at: datetime
    fields: dict[str, Any]
    mime: bytes
    entered: int
    immutable_id: str = field(default_factory=lambda: make_id("immutable"))
    id: str = field(default_factory=lambda: make_id("ordinary"))
    former_ids: list[str] = field(default_factory=list)

    def to_json(self, *, immutable: bool, select: Sequence[str] = ()) -> dict[str, Any]:
        facts = {
            "receivedDateTime": _instant(self.received_at),
            "parentFolderId": self.folder,
            **self.fields,
        }
        chosen = {name: value for name, value in facts.items() if not select or name in select}
        identity = self.immutable_id if immutable else self.id
        return {"@odata.etag": f'W/"{self.entered}"', "id": identity, **chosen}


class Mailbox:
    """One mailbox. Not safe for threads: the server holds its lock around every call."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.folders: dict[str, Folder] = {}
        self.messages: dict[str, Message] = {}  # by immutable id
        self.left: list[tuple[int, str, str, str]] = []  # when, folder, both ids
        self.clock = 0
        for well_known, name in WELL_KNOWN.items():
            self.add_folder(name, well_known=well_known)
        self.add_folder("Conversation History", hidden=True)

    def add_folder(self, name: str, *, parent: str | None = None, well_known: str = "", hidden: bool = False) -> Folder:
        if any(each.name.casefold() == name.casefold() for each in self.children(parent)):
            raise GraphError(409, "ErrorFolderExists", "A folder with the specified name already exists.")
        folder = Folder(name=name, parent=parent, well_known=well_known, hidden=hidden)
        self.folders[folder.id] = folder
        return folder

    def children(self, parent: str | None) -> list[Folder]:
        return [each for each in self.folders.values() if each.parent == parent]

    def folder(self, key: str) -> Folder:
        """Return the folder of an id or a well-known name."""
        for each in self.folders.values():
            if each.id == key or (each.well_known and each.well_known == key.lower()):
                return each
        raise GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")

    def by_path(self, path: str) -> Folder:
        """Return the folder that people call `Inbox/Backup`, made when missing."""
        found: Folder | None = None
        for name in path.split("/"):
            parent = found.id if found else None
            known = (
                each for each in self.children(parent) if name.casefold() in (each.name.casefold(), each.well_known)
            )
            found = next(known, None) or self.add_folder(name, parent=parent)
        assert found is not None
        return found

    def add(self, *, folder: str, received_at: datetime, fields: dict[str, Any], mime: bytes) -> Message:
        message = Message(folder=folder, received_at=received_at, fields=fields, mime=mime, entered=self.tick())
        self.messages[message.immutable_id] = message
        return message

    def message(self, key: str) -> Message:
        """Return the message of an immutable id, or of the id that it has now."""
        found = self.messages.get(key) or next((each for each in self.messages.values() if each.id == key), None)
        if found is None:
            raise GraphError(404, "ErrorItemNotFound", "The specified object was not found in the store.")
        return found

    def move(self, message: Message, folder: Folder) -> None:
        """Move: the ordinary id is another one from now on, the immutable id stays."""
        self.left.append((self.tick(), message.folder, message.immutable_id, message.id))
        message.former_ids.append(message.id)
        message.id = make_id("ordinary")
        message.folder, message.entered = folder.id, self.tick()

    def remove(self, message: Message) -> None:
        self.left.append((self.tick(), message.folder, message.immutable_id, message.id))
        del self.messages[message.immutable_id]

    def within(self, folder: str) -> list[Message]:
        """Return a folder's messages, the last received first."""
        found = [each for each in self.messages.values() if each.folder == folder]
        return sorted(found, key=lambda each: (each.received_at, each.entered), reverse=True)

    def removed_since(self, folder: str, moment: int) -> Iterator[tuple[str, str]]:
        return ((immutable, plain) for when, where, immutable, plain in self.left if where == folder and when > moment)

    def tick(self) -> int:
        self.clock += 1
        return self.clock


def _instant(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
