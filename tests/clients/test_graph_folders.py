"""Folders."""

from dataclasses import replace

import pytest

from shared.clients.errors import NotAllowed
from shared.clients.graph import GraphClient
from tests.fake_graph import FakeGraph, Fault


def test_folders_are_listed_by_path_with_their_mails(fake: FakeGraph, mailbox: GraphClient) -> None:
    fake.deliver(folder="Inbox/Backup/Veeam")
    fake.deliver(folder="Inbox")

    found = {folder.path: folder for folder in mailbox.folders()}

    assert list(found) == [
        "Archive", "Deleted Items", "Inbox", "Inbox/Backup", "Inbox/Backup/Veeam", "Junk Email",
    ]  # fmt: skip
    assert (found["Inbox"].total, found["Inbox/Backup"].total, found["Inbox/Backup/Veeam"].total) == (1, 0, 1)
    assert [path for path, folder in found.items() if folder.is_inbox] == ["Inbox"]


def test_folders_beyond_one_page_are_listed_too(fake: FakeGraph, mailbox: GraphClient) -> None:
    for number in range(130):
        fake.add_folder(f"Inbox/Customer {number:03}")

    assert len([folder for folder in mailbox.folders() if folder.path.startswith("Inbox/")]) == 130


def test_a_folder_is_made_once(fake: FakeGraph, mailbox: GraphClient) -> None:
    made = mailbox.ensure_folder("Backupchecks")

    assert mailbox.ensure_folder("backupchecks") == made
    assert fake.mailbox.folder(made).name == "Backupchecks"


@pytest.mark.parametrize("fault", [Fault.cut(on="mailFolders"), replace(Fault.of(504, on="mailFolders"), late=True)])
def test_a_folder_whose_making_was_not_heard_of_is_found(fake: FakeGraph, mailbox: GraphClient, fault: Fault) -> None:
    fake.faults.add(replace(fault, method="POST"))

    made = mailbox.ensure_folder("Backupchecks")

    assert fake.mailbox.folder(made).name == "Backupchecks"


def test_a_folder_that_we_may_not_make_is_told(fake: FakeGraph, mailbox: GraphClient) -> None:
    fake.graph.may_write = False

    with pytest.raises(NotAllowed):
        mailbox.ensure_folder("Backupchecks")
