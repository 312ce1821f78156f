"""Where mails come from. A mailbox hands out deliveries; importing the same one again is harmless."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from shared.domain.mailflow import Delivery, Source

log = logging.getLogger(__name__)


class Mailbox(Protocol):
    """A source of mails. `deliveries` yields every mail that may be new, oldest names first.

    After a pass `unreadable` holds the names that it had to leave out.
    """

    source: Source
    unreadable: list[str]

    def deliveries(self) -> Iterator[Delivery]: ...


class FolderUnreadable(Exception):
    """The mail folder isn't there or can't be entered."""


class FolderMailbox:
    """Every `.eml` file below a folder. Files are only read, never moved or changed."""

    source = Source.FOLDER

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unreadable: list[str] = []

    def deliveries(self) -> Iterator[Delivery]:
        """Yield the files by path. Raise FolderUnreadable when the folder can't be read."""
        if not self.folder.is_dir():
            raise FolderUnreadable(f"the mail folder {self.folder} does not exist")
        self.unreadable = []
        for path in sorted(path for path in self.folder.rglob("*") if path.suffix.lower() == ".eml"):
            try:
                yield Delivery(source=self.source, raw=path.read_bytes(), name=path.name)
            except (FileNotFoundError, IsADirectoryError):
                continue  # taken away since it was listed, or no file
            except OSError:
                log.exception("a mail file can't be read")
                self.unreadable.append(path.name)
