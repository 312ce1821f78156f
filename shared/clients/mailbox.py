"""Where mails come from. A mailbox hands out deliveries; importing the same one again is harmless."""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from shared.domain.mailflow import Delivery, Source


class Mailbox(Protocol):
    """A source of mails. `deliveries` yields every mail that may be new, oldest names first."""

    source: Source

    def deliveries(self) -> Iterator[Delivery]: ...


class FolderUnreadable(Exception):
    """The mail folder isn't there or can't be entered."""


class FolderMailbox:
    """Every `.eml` file below a folder. Files are only read, never moved or changed."""

    source = Source.FOLDER

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def deliveries(self) -> Iterator[Delivery]:
        """Yield the files by path. Raise FolderUnreadable when the folder can't be read."""
        if not self.folder.is_dir():
            raise FolderUnreadable(f"the mail folder {self.folder} does not exist")
        for path in sorted(self.folder.rglob("*.eml")):
            if path.is_file():
                yield Delivery(source=self.source, raw=path.read_bytes(), name=path.name)
