"""The read of a mailbox when Graph, a queue or our own code does wrong: nothing lost, nothing asked for ever."""

from datetime import timedelta

import pytest

from shared.clients.errors import Unavailable
from shared.domain.queue_message import Queue, WakeReason
from shared.services.sync_mailbox import THROTTLED
from tests.fake_graph import Fault, Faults
from tests.ledger import broken_promises
from tests.services.mailbox_world import World, deliver

MINUTE = timedelta(minutes=1)


def test_a_failure_is_said_and_tried_again_once_and_the_next_good_read_clears_it(world: World) -> None:
    deliver(world, 1)
    world.graph.faults = Faults(Fault.of(503, on="delta", times=None))

    world.wake()
    error, owner, wakes = world.row.last_error, world.row.lease_owner, world.queues.waiting(Queue.MAIL_WAKE)
    world.later(minutes=1)
    world.wake()
    more_wakes = world.queues.waiting(Queue.MAIL_WAKE)
    world.graph.faults.clear()
    world.later(minutes=1)
    world.wake()

    assert (bool(error), owner, wakes, more_wakes) == (True, None, 1, 1)
    assert [(cycle.complete, cycle.error == error) for cycle in world.cycles()] == [
        (False, True), (False, True), (True, False),
    ]  # fmt: skip
    assert (world.row.last_error, world.row.last_error_at) == ("", None)


def test_what_asking_again_cannot_mend_is_left_to_the_timer(world: World) -> None:
    world.graph.faults.add(Fault.of(403, on="delta"))

    world.wake()

    assert world.row.last_error
    assert world.queues.waiting(Queue.MAIL_WAKE) == 0


def test_the_pages_before_a_failure_are_kept_and_not_read_again(world: World) -> None:
    deliver(world, 120)
    real, pages = world.mailbox.delta, []

    def delta(*args: object, **options: object):
        pages.append(options["link"])
        if len(pages) == 2:
            world.graph.faults.add(Fault.of(400, on="delta"))
        return real(*args, **options)

    world.mailbox.delta = delta
    world.wake()
    kept = len(world.arrivals())
    world.read()

    assert kept == 50
    assert pages[1] is not None
    assert pages[1] == pages[2]
    assert world.graph_ids() == world.ids_in_the_mailbox()


def test_graph_is_left_alone_for_as_long_as_it_wants(world: World) -> None:
    deliver(world, 1)
    world.graph.faults.add(Fault.throttle("300", on="delta"))

    world.wake(WakeReason.MANUAL, request_id="asked")
    throttled, calls = world.row.throttled_until, len(world.graph.calls)
    world.later(minutes=4)
    early = world.wake(WakeReason.MANUAL)
    world.later(minutes=1)
    world.wake()

    assert throttled == world.now
    assert (early, len(world.graph.calls)) == ({"throttled": 1}, calls + 1)
    assert world.queues.waiting(Queue.MAIL_WAKE) == 1  # for when the time is over
    assert [cycle.error[:23] for cycle in world.cycles()] == [THROTTLED[:23]] * 2 + [""]
    assert len(world.arrivals()) == 1


def test_a_lost_link_is_read_anew_and_every_mail_is_in_once(world: World) -> None:
    deliver(world, 70)
    world.read()
    world.graph.expire_tokens()
    deliver(world, 70)

    counts = world.read()

    assert (counts["resyncs"], counts["new"], world.folder.resyncs) == (1, 70, 1)
    assert world.graph_ids() == world.ids_in_the_mailbox()
    assert world.cycle.complete


def test_a_link_that_is_lost_between_two_pages_is_read_anew(world: World) -> None:
    world.set(import_batch=50)
    deliver(world, 120)
    world.wake()
    world.graph.expire_tokens()

    world.read()

    assert world.graph_ids() == world.ids_in_the_mailbox()


def test_a_mailbox_that_never_knows_its_links_is_an_error_and_no_endless_loop(world: World) -> None:
    world.graph.faults.add(Fault.of(410, on="delta", times=None))

    world.wake()

    assert world.cycle.error


def test_a_day_of_silence_ends_with_every_mail_in_once(world: World) -> None:
    deliver(world, 10)
    world.read()
    world.graph.faults.add(Fault.of(503, times=None))
    for _ in range(24):
        world.later(hours=1)
        deliver(world, 5)
        world.read()
    during = len(world.mails())
    world.graph.faults.clear()

    world.read()

    assert during == 10
    assert world.graph_ids() == world.ids_in_the_mailbox()
    assert len(world.mails()) == 130
    assert broken_promises(world.db) == {}


def test_a_queue_that_takes_nothing_does_not_lose_a_mail(world: World, caplog: pytest.LogCaptureFixture) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise Unavailable("no queue today")

    deliver(world, 60)
    world.set(import_batch=50)
    world.queues.send = refuse

    world.wake()

    assert len(world.arrivals()) == 50
    assert {"the queue takes no mails to import", "the queue takes no wake: the timer will see to it"} <= set(
        caplog.messages
    )


def test_a_fault_of_ours_gives_the_mailbox_back_and_is_raised(world: World) -> None:
    def delta(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    world.mailbox.delta = delta

    with pytest.raises(ZeroDivisionError):
        world.wake()
    assert world.row.lease_owner is None
    assert world.cycle.finished_at is None
