"""Imported mails are moved out of the way in the mailbox, and no import ever waits for that."""

from dataclasses import replace
from datetime import timedelta

from shared.domain.mailflow import MoveState
from shared.domain.queue_message import WakeReason
from shared.services.move_mails import MAX_ATTEMPTS
from tests.fake_graph import Fault
from tests.fake_graph.world import Message
from tests.ledger import broken_promises
from tests.services.mailbox_world import World


def imported(world: World, number: int = 1) -> list[Message]:
    """Let mails come in that are to be moved."""
    world.set(move_processed=True)
    messages = [world.graph.deliver() for _ in range(number)]
    world.read()
    return messages


def folder_of(world: World, message: Message) -> str:
    return next(folder.name for folder in world.graph.mailbox.folders.values() if folder.id == message.folder)


def test_what_came_in_is_moved_with_the_next_read(world: World) -> None:
    messages = imported(world, 45)

    counts = world.read()

    assert counts["moved"] == 45
    assert {folder_of(world, message) for message in messages} == {"Backupchecks"}
    assert {(move.state, move.settled_at) for move in world.moves()} == {(MoveState.DONE, world.now)}
    assert len(world.graph.calls_to("$batch")) == 3
    assert world.read()["new"] == 0
    assert broken_promises(world.db) == {}


def test_the_folder_has_the_name_that_the_settings_say(world: World) -> None:
    world.set(processed_folder="Done")
    (message,) = imported(world)

    world.read()

    assert folder_of(world, message) == "Done"


def test_what_is_no_longer_there_has_moved(world: World) -> None:
    (message,) = imported(world)
    world.graph.delete(message)

    world.read()

    assert [move.state for move in world.moves()] == [MoveState.DONE]


def test_where_moving_is_switched_off_nothing_moves_any_more(world: World) -> None:
    (message,) = imported(world)
    world.set(move_processed=False)

    world.read()

    assert folder_of(world, message) == "Inbox"
    assert [move.state for move in world.moves()] == [MoveState.WAITING]


def test_a_move_that_fails_waits_longer_each_time_and_is_given_up_in_the_end(world: World) -> None:
    imported(world)
    world.graph.graph.may_write = False
    waits = []

    for _ in range(MAX_ATTEMPTS):
        world.read()
        (move,) = world.moves()
        waits.append(move.due_at - world.now)
        world.now = max(world.now, move.due_at)
    world.read()

    assert waits[:4] == [timedelta(minutes=minutes) for minutes in (5, 10, 20, 40)]
    assert max(waits) == timedelta(hours=6)
    assert (move.state, move.attempts, bool(move.last_error)) == (MoveState.GIVEN_UP, MAX_ATTEMPTS, True)


def test_a_mailbox_that_lets_nothing_be_moved_is_still_read(world: World) -> None:
    imported(world)
    world.graph.graph.may_write = False
    message = world.graph.deliver()

    world.read()

    assert message.immutable_id in world.graph_ids()
    assert world.cycle.complete
    assert world.row.last_error == ""


def test_one_mail_that_cannot_be_moved_does_not_hold_up_the_others(world: World) -> None:
    messages = imported(world, 3)
    stuck = messages[1]
    world.graph.faults.add(Fault.of(400, on=stuck.immutable_id[-20:-4], times=None).within_batches())

    world.read()

    assert [folder_of(world, message) for message in messages] == ["Backupchecks", "Inbox", "Backupchecks"]
    assert sorted(move.state for move in world.moves()) == [MoveState.DONE, MoveState.DONE, MoveState.WAITING]


def test_a_throttled_move_lets_graph_rest_and_leaves_the_read_complete(world: World) -> None:
    imported(world)
    world.later(minutes=1)
    world.graph.faults.add(Fault.throttle("300", on="$batch"))

    world.wake()

    assert world.cycle.complete
    assert world.row.throttled_until == world.now + timedelta(minutes=5)
    assert [move.state for move in world.moves()] == [MoveState.WAITING]


def test_a_late_answer_to_a_move_is_no_second_move(world: World) -> None:
    """Carried out, and then the gateway says that it waited too long."""
    (message,) = imported(world)
    world.graph.faults.add(replace(Fault.of(504, on="$batch"), late=True))

    world.read()
    world.later(hours=1)
    world.read(WakeReason.TIMER)

    assert folder_of(world, message) == "Backupchecks"
    assert [move.state for move in world.moves()] == [MoveState.DONE]
