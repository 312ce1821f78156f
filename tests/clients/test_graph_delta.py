"""Reading what came, page after page."""

import json
import logging
from datetime import timedelta

import pytest

from shared.clients.errors import BadAnswer, SyncStateLost, Throttled, Unavailable
from shared.clients.graph import GraphClient
from shared.clients.graph_mailbox import DeltaPage
from tests.clients.conftest import NOON
from tests.fake_graph import Effect, FakeGraph, Fault, Faults

SINCE = NOON - timedelta(days=30)


def read_all(mailbox: GraphClient, link: str | None = None) -> list[DeltaPage]:
    pages = [mailbox.delta("inbox", link=link, since=SINCE)]
    while not pages[-1].is_last:
        pages.append(mailbox.delta("inbox", link=pages[-1].link, since=SINCE))
    return pages


def ids(pages: list[DeltaPage]) -> list[str]:
    return [each.graph_id for page in pages for each in page.arrived]


def test_every_mail_comes_once_with_its_body_and_in_few_requests(fake: FakeGraph, mailbox: GraphClient) -> None:
    made = {fake.deliver(body=f"<p>Größe {number}</p>", html=True).immutable_id for number in range(120)}

    pages = read_all(mailbox)

    assert sorted(ids(pages)) == sorted(made)
    assert [len(page.arrived) for page in pages] == [50, 50, 20]
    assert mailbox.requests == len(fake.calls) == 3
    first = json.loads(pages[0].arrived[0].content)
    assert "<p>Größe" in first["body"]["content"]
    assert {"subject", "from", "receivedDateTime", "hasAttachments", "parentFolderId"} <= first.keys()
    assert pages[0].arrived[0].received_at == NOON


def test_every_request_asks_for_immutable_ids(fake: FakeGraph, mailbox: GraphClient) -> None:
    message = fake.deliver()
    folder = mailbox.ensure_folder("Done")
    read_all(mailbox)
    list(mailbox.ids_since("inbox", SINCE))
    list(mailbox.mime([message.immutable_id]))
    mailbox.message(message.immutable_id)
    mailbox.folders()
    mailbox.move([message.immutable_id], folder)
    list(mailbox.subscriptions())

    assert len(fake.calls) > 8
    assert {'IdType="ImmutableId"' in call.headers["prefer"] for call in fake.calls} == {True}


def test_the_next_round_holds_only_what_came_since(fake: FakeGraph, mailbox: GraphClient) -> None:
    fake.deliver()
    link = read_all(mailbox)[-1].link
    later = fake.deliver()

    assert ids(read_all(mailbox, link)) == [later.immutable_id]


def test_a_mail_that_was_moved_in_keeps_its_id(fake: FakeGraph, mailbox: GraphClient) -> None:
    message = fake.deliver()
    link = read_all(mailbox)[-1].link
    fake.move(message, "Archive")
    fake.move(message, "Inbox")

    assert ids(read_all(mailbox, link)) == [message.immutable_id]


def test_mails_from_before_the_start_are_left_out(fake: FakeGraph, mailbox: GraphClient) -> None:
    fake.deliver(received_at=SINCE - timedelta(seconds=1))
    recent = fake.deliver(received_at=SINCE)

    assert ids(read_all(mailbox)) == [recent.immutable_id]


def test_empty_pages_repeated_and_removed_items_hide_no_mail(fake: FakeGraph, mailbox: GraphClient) -> None:
    made = {fake.deliver().immutable_id for _ in range(120)}
    fake.faults.add(*(Fault.page(effect) for effect in (Effect.EMPTY, Effect.REMOVED, Effect.REPEAT)))

    pages = read_all(mailbox)

    assert pages[0].arrived == ()
    assert set(ids(pages)) == made
    assert [page.broken for page in pages] == [0, 0, 0, 0]


def test_an_item_without_id_or_date_is_counted_and_spoils_nothing(
    fake: FakeGraph, mailbox: GraphClient, caplog: pytest.LogCaptureFixture
) -> None:
    message = fake.deliver()
    fake.faults.add(Fault.page(Effect.BROKEN))

    with caplog.at_level(logging.WARNING):
        pages = read_all(mailbox)

    assert ids(pages) == [message.immutable_id]
    assert [page.broken for page in pages] == [2]
    assert [record.message for record in caplog.records] == ["an item of a page can't be used"] * 2


def test_half_of_a_sign_in_a_body_is_handed_on(fake: FakeGraph, mailbox: GraphClient) -> None:
    fake.deliver().fields["subject"] = "broken \ud83d sign"

    (page,) = read_all(mailbox)

    assert json.loads(page.arrived[0].content)["subject"] == "broken \ud83d sign"


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_goes_wrong_every_mail_comes(fake: FakeGraph, mailbox: GraphClient, seed: int) -> None:
    made = {fake.deliver().immutable_id for _ in range(400)}
    fake.faults = Faults.random(seed, 0.5)
    found: set[str] = set()
    link, is_last = None, False

    while not is_last:
        try:
            page = mailbox.delta("inbox", link=link, since=SINCE)
        except (Unavailable, Throttled):
            continue  # as the next read would, from the link that was stored
        found.update(each.graph_id for each in page.arrived)
        link, is_last = page.link, page.is_last

    assert found == made


@pytest.mark.parametrize(
    "fault",
    [
        Fault.of(410),
        Fault.gone("http://127.0.0.1/elsewhere"),
        Fault.of(400, "syncStateInvalid"),
        Fault.of(400, "resyncRequired"),
        Fault.of(404, "SyncStateNotFound"),
    ],
    ids=lambda fault: f"{fault.status} {fault.code}",
)
def test_a_lost_place_is_told_as_such(fake: FakeGraph, mailbox: GraphClient, fault: Fault) -> None:
    link = read_all(mailbox)[-1].link
    fake.faults.add(fault)

    with pytest.raises(SyncStateLost):
        mailbox.delta("inbox", link=link, since=SINCE)


def test_expired_tokens_are_a_lost_place_and_reading_anew_works(fake: FakeGraph, mailbox: GraphClient) -> None:
    message = fake.deliver()
    link = read_all(mailbox)[-1].link
    fake.expire_tokens()

    with pytest.raises(SyncStateLost):
        mailbox.delta("inbox", link=link, since=SINCE)
    assert ids(read_all(mailbox)) == [message.immutable_id]


def test_a_link_to_another_host_is_never_called(fake: FakeGraph, mailbox: GraphClient) -> None:
    with FakeGraph() as foreign:
        link = f"{foreign.url}/users/reports@msp.example/mailFolders/inbox/messages/delta?$deltatoken=x"

        with pytest.raises(BadAnswer, match="another host"):
            mailbox.delta("inbox", link=link, since=SINCE)

        assert foreign.calls == fake.calls == []


def test_a_page_that_leads_to_another_host_is_refused(fake: FakeGraph, mailbox: GraphClient) -> None:
    fake.listener.link_base = "https://graph.microsoft.com.attacker.example/v1.0"

    with pytest.raises(BadAnswer, match="another host"):
        mailbox.delta("inbox", link=None, since=SINCE)


def test_the_ids_of_a_folder_are_listed_by_the_thousand(fake: FakeGraph, mailbox: GraphClient) -> None:
    made = [fake.deliver(received_at=NOON - timedelta(seconds=number)).immutable_id for number in range(1_200)]
    fake.deliver(received_at=SINCE - timedelta(days=1))

    listed = list(mailbox.ids_since("inbox", SINCE))

    assert listed == made[::-1]
    assert mailbox.requests == 2
