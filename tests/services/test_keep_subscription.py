"""Graph tells us of new mails as long as we see to it; where it does not, mails are polled for, visibly."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from shared.domain.client_state import client_state
from shared.domain.mailflow import SubscriptionState
from shared.models.mailbox import MailFolderRow
from shared.services.keep_subscription import can_be_reached, keep_subscriptions
from shared.settings import Settings
from tests.fake_graph import Fault
from tests.services.mailbox_world import World

KEY = "a secret key of more than thirty-two characters"


class _Webhook(BaseHTTPRequestHandler):
    """Echoes what Graph validates an address with."""

    def do_POST(self) -> None:
        token = parse_qs(urlsplit(self.path).query).get("validationToken", [""])[0].encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(token)))
        self.end_headers()
        self.wfile.write(token)

    def log_message(self, *_: object) -> None: ...


@contextmanager
def _webhook() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Webhook)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings() -> Iterator[Settings]:
    """Settings of an app that Graph can reach."""
    with _webhook() as address:
        yield Settings(public_url=address, secret_key=KEY)


@pytest.fixture
def read_world(world: World) -> World:
    """A mailbox that was read once, so that its Inbox is known."""
    world.read()
    return world


def keep(world: World, settings: Settings, **told: object) -> dict[str, int]:
    return keep_subscriptions(
        world.mailbox, world.queues, settings=settings, clock=lambda: world.now, sleep=world.slept.append, **told
    )


def add_folder(world: World, path: str) -> None:
    folder = world.graph.add_folder(path)
    world.db.add(MailFolderRow(mailbox_id=world.row.id, graph_id=folder.id, path=path))
    world.db.commit()


def test_each_folder_that_is_read_gets_a_subscription(read_world: World, settings: Settings) -> None:
    add_folder(read_world, "Inbox/Backup")

    counts = keep(read_world, settings)

    there = read_world.graph.subscriptions()
    assert counts == {"active": 2}
    assert {row.subscription_id for row in read_world.subscriptions()} == {each.id for each in there}
    assert {(each.notification_url, each.lifecycle_url, each.client_state) for each in there} == {
        (
            f"{settings.public_url}/api/graph/notifications",
            f"{settings.public_url}/api/graph/lifecycle",
            client_state(KEY, read_world.mailbox.address),
        )
    }
    assert all(each.expires_at - read_world.now > timedelta(days=6) for each in there)
    assert read_world.row.lease_owner is None


def test_it_is_renewed_when_less_than_two_days_are_left(read_world: World, settings: Settings) -> None:
    keep(read_world, settings)
    read_world.later(days=4)
    keep(read_world, settings)
    untouched = read_world.subscriptions()[0].expires_at
    read_world.later(days=1.5)

    keep(read_world, settings)

    (row,) = read_world.subscriptions()
    assert row.expires_at > untouched
    assert len(read_world.graph.calls_to("/subscriptions", method="PATCH")) == 1
    assert [each.id for each in read_world.graph.subscriptions()] == [row.subscription_id]


def test_one_that_expired_or_was_removed_is_made_anew(read_world: World, settings: Settings) -> None:
    keep(read_world, settings)
    read_world.later(days=30)

    counts = keep(read_world, settings)

    assert counts == {"active": 1}
    assert [each.id for each in read_world.graph.subscriptions()] == [read_world.subscriptions()[0].subscription_id]


def test_one_that_graph_forgets_while_it_is_renewed_is_made_anew(read_world: World, settings: Settings) -> None:
    keep(read_world, settings)
    read_world.later(days=6)
    read_world.graph.faults.add(replace(Fault.of(404, "ResourceNotFound", on="/subscriptions/"), method="PATCH"))
    read_world.graph.graph.subscriptions.remove(read_world.graph.subscriptions()[0].id)

    assert keep(read_world, settings) == {"active": 1}


def test_what_graph_has_a_complaint_about_is_renewed_once(read_world: World, settings: Settings) -> None:
    keep(read_world, settings)
    told_at = read_world.later(hours=1)
    read_world.later(seconds=5)

    for _ in range(3):
        keep(read_world, settings, told_at=told_at)

    assert len(read_world.graph.calls_to("/subscriptions", method="PATCH")) == 1


def test_where_graph_refuses_mails_are_polled_for_and_it_is_asked_once_a_day(
    read_world: World, settings: Settings
) -> None:
    read_world.graph.refuse_subscriptions()

    counts = [keep(read_world, settings)]
    for _ in range(4):
        read_world.later(hours=6)
        counts.append(keep(read_world, settings))
    (row,) = read_world.subscriptions()

    assert counts == [{"refused": 1}] * 5
    assert (row.state, row.subscription_id, bool(row.last_error)) == (SubscriptionState.REFUSED, None, True)
    assert len(read_world.graph.calls_to("/subscriptions", method="POST")) == 2
    read_world.graph.deliver()
    assert read_world.read()["new"] == 1
    read_world.graph.refuse_subscriptions(refused=False)
    read_world.later(days=1)
    assert keep(read_world, settings) == {"active": 1}


def test_a_failure_is_said_and_does_not_forget_what_still_notifies_us(read_world: World, settings: Settings) -> None:
    keep(read_world, settings)
    read_world.later(days=6)
    read_world.graph.faults.add(replace(Fault.of(400, on="/subscriptions/"), method="PATCH"))

    failed = keep(read_world, settings)
    (row,) = read_world.subscriptions()
    state, error, subscription_id = row.state, row.last_error, row.subscription_id
    again = keep(read_world, settings)

    assert (failed, again) == ({"failed": 1}, {"active": 1})
    assert (state, bool(error)) == (SubscriptionState.FAILED, True)
    assert read_world.subscriptions()[0].subscription_id == subscription_id


@pytest.mark.parametrize("address", ["", "http://backupchecks.oak.example"])
def test_without_an_address_that_graph_can_reach_the_state_says_so(read_world: World, address: str) -> None:
    counts = keep(read_world, Settings(public_url=address, secret_key=KEY))

    (row,) = read_world.subscriptions()
    assert counts == {"failed": 1}
    assert "PUBLIC_URL" in row.last_error
    assert read_world.graph.calls_to("/subscriptions", method="POST") == []


def test_which_addresses_graph_can_reach() -> None:
    assert can_be_reached(Settings(public_url="https://backupchecks.oak.example"))
    assert can_be_reached(Settings(public_url="http://127.0.0.1:8000"))
    assert not can_be_reached(Settings(public_url="http://127.0.0.1:8000", app_env="production"))
    assert not can_be_reached(Settings(public_url="http://backupchecks.oak.example"))
    assert not can_be_reached(Settings(public_url="https://"))


def test_a_folder_that_is_no_longer_read_ends_its_subscription(read_world: World, settings: Settings) -> None:
    keep(read_world, settings)
    add_folder(read_world, "Inbox/Backup")
    read_world.folder.active = False
    read_world.db.commit()

    counts = keep(read_world, settings)

    assert counts == {"ended": 1, "active": 1}
    assert [row.folder_id for row in read_world.subscriptions()] == [read_world.folders()[1].id]
    assert len(read_world.graph.subscriptions()) == 1
    assert keep(read_world, settings) == {"active": 1}


def test_one_that_nobody_knows_of_makes_room(read_world: World, settings: Settings) -> None:
    """Somebody died between making it and noting that; Graph takes no second one of a kind."""
    keep(read_world, settings)
    for row in read_world.subscriptions():
        read_world.db.delete(row)
    read_world.db.commit()

    assert keep(read_world, settings) == {"active": 1}
    assert [each.id for each in read_world.graph.subscriptions()] == [read_world.subscriptions()[0].subscription_id]


def test_while_the_import_is_off_nothing_is_asked(read_world: World, settings: Settings) -> None:
    read_world.set(import_enabled=False)
    calls = len(read_world.graph.calls)

    assert keep(read_world, settings) == {"off": 1}
    assert len(read_world.graph.calls) == calls


def test_it_waits_for_whoever_reads_the_mailbox_but_not_for_ever(read_world: World, settings: Settings) -> None:
    row = read_world.row
    row.lease_owner, row.lease_until = "other", read_world.now + timedelta(minutes=2)
    read_world.db.commit()

    assert keep(read_world, settings) == {"taken": 1}
    assert sum(read_world.slept) == 60.0


def test_a_wake_that_finds_the_mailbox_taken_by_it_is_not_lost(read_world: World, settings: Settings) -> None:
    real = read_world.mailbox.subscriptions
    answers = []

    def subscriptions():
        answers.append(read_world.wake(at=read_world.later(seconds=1)))
        return real()

    read_world.mailbox.subscriptions = subscriptions
    keep(read_world, settings)

    assert answers == [{"asked": 1}]
    assert len(read_world.wakes()) == 1


def test_an_expired_subscription_ends_with_every_mail_in_once(read_world: World, settings: Settings) -> None:
    """Nobody notifies us any more; the timer reads on, and notifications come again after the next upkeep."""
    keep(read_world, settings)
    read_world.later(days=8)
    read_world.graph.deliver()
    read_world.read()
    keep(read_world, settings)
    read_world.graph.deliver()

    read_world.read()

    assert read_world.graph_ids() == read_world.ids_in_the_mailbox()
    assert len(read_world.graph.subscriptions()) == 1
