"""Once a day the mailbox is held against what came in: whatever a read left out comes in after all."""

from datetime import timedelta

import pytest

from shared.domain.queue_message import WakeReason
from shared.services import check_gap as module
from tests.fake_graph.world import Message
from tests.services.mailbox_world import World


def read_once(world: World) -> None:
    world.graph.deliver()
    world.read()


def leave_out(world: World, number: int) -> list[Message]:
    """Let mails arrive that the folder's link does not tell of: it stands behind them already."""
    missed = [world.graph.deliver(received_at=world.now - timedelta(hours=1)) for _ in range(number)]
    for message in missed:
        message.entered = 1
    return missed


def test_the_first_read_ever_has_nothing_to_be_held_against(world: World) -> None:
    counts = world.read()

    assert counts["requests"] == 1
    assert world.row.gap_checked_at == world.now


def test_a_mail_that_a_read_left_out_comes_in_within_a_day(world: World, caplog: pytest.LogCaptureFixture) -> None:
    read_once(world)
    world.later(hours=20)
    (missed,) = leave_out(world, 1)

    soon = world.read()
    world.later(hours=4)
    counts = world.read()

    assert (soon["gaps"], counts["gaps"]) == (0, 1)
    assert missed.immutable_id in world.graph_ids()
    assert "a read left out mails" in caplog.messages
    assert world.row.gap_checked_at == world.row.sync_started_at


def test_a_whole_mailbox_costs_one_request_a_day(world: World) -> None:
    for _ in range(5):
        world.graph.deliver()
    world.read()
    world.later(hours=24)

    assert world.read()["requests"] == 2
    assert world.read()["requests"] == 1


def test_what_came_while_we_looked_is_no_gap(world: World, caplog: pytest.LogCaptureFixture) -> None:
    world.read()
    world.later(hours=24)
    real = world.mailbox.ids_since

    def ids_since(*args: object):
        world.graph.deliver(received_at=world.now)
        return real(*args)

    world.mailbox.ids_since = ids_since
    counts = world.read()

    assert counts["gaps"] == 0
    assert len(world.mails()) == 1
    assert "a read left out mails" not in caplog.messages


def test_a_mail_that_is_gone_since_it_was_listed_is_no_gap(world: World) -> None:
    read_once(world)
    world.later(hours=24)
    (missed,) = leave_out(world, 1)
    real = world.mailbox.message

    def message(graph_id: str):
        world.graph.delete(missed)
        return real(graph_id)

    world.mailbox.message = message

    assert world.read()["gaps"] == 0
    assert world.cycle.complete


def test_where_many_are_left_out_the_folder_is_read_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a restore of the database from an old backup."""
    monkeypatch.setattr(module, "MAX_SINGLE", 3)
    read_once(world)
    world.later(hours=24)
    leave_out(world, 5)

    counts = world.read()

    assert counts["resyncs"] == 1
    assert world.graph_ids() == world.ids_in_the_mailbox()
    assert [cycle.complete for cycle in world.cycles()] == [True, False, True]


def test_where_graph_says_that_notifications_were_missed_it_is_looked_at_once(world: World) -> None:
    read_once(world)
    leave_out(world, 1)

    world.later(hours=1)
    counts = world.wake(WakeReason.LIFECYCLE_MISSED)

    assert counts["new"] == 1
