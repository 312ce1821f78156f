"""Who waits for a system outside holds nothing in the database meanwhile."""

from collections.abc import Iterator
from typing import Any

import pytest

from shared.clients.graph_line import GraphLine
from shared.db.session import engine
from tests.fake_graph import FakeGraph
from tests.http_api.client import Browser
from tests.http_api.lists import text_of
from tests.http_api.mail_world import mailbox_in_a_fake

MAIL = "/manage/settings/mail"


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch, settings_of_the_test: None) -> Iterator[FakeGraph]:
    with mailbox_in_a_fake(monkeypatch) as found:
        yield found


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many connections of the database were taken at each call to Graph."""
    found: list[int] = []
    call = GraphLine.call

    def counting(*args: Any) -> bytes:
        found.append(engine().pool.checkedout())  # type: ignore[attr-defined]
        return call(*args)

    monkeypatch.setattr(GraphLine, "call", counting)
    return found


def test_the_test_of_the_mailbox(admin: Browser, graph: FakeGraph, held: list[int]) -> None:
    page = admin.post(f"{MAIL}/test", data={"other": "boss@msp.example"}).text

    assert "The mailbox boss@msp.example is out of reach, as it should be." in text_of(page)
    assert len(held) > 2
    assert set(held) == {0}


def test_the_list_of_folders_and_a_choice_among_them(admin: Browser, graph: FakeGraph, held: list[int]) -> None:
    listed = admin.get(f"{MAIL}/folders").text
    admin.post(f"{MAIL}/folders", data={"folder": "inbox"})
    refused = admin.post(f"{MAIL}/folders", data={"folder": "nothing like this"})

    assert "Inbox" in text_of(listed)
    assert refused.status_code == 422
    assert len(held) > 2
    assert set(held) == {0}
