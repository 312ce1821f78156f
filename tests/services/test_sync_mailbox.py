"""A read of a mailbox: every mail once, whatever Graph does, whoever asks, and whoever else reads meanwhile."""

import logging
from datetime import timedelta

import pytest

from shared.domain.mailflow import MimeState
from shared.domain.queue_message import WakeReason
from shared.models.mailbox import MailFolderRow
from tests.builders import NOW
from tests.fake_graph import Effect, Fault
from tests.fake_graph.eml import make_eml
from tests.ledger import broken_promises
from tests.mails import report_mail
from tests.services.mailbox_world import World, deliver, delta_calls

MINUTE = timedelta(minutes=1)


def hold_the_mailbox(world: World) -> None:
    """Let somebody else hold the mailbox, who began to read it just now."""
    world.read()
    row = world.row
    row.lease_owner, row.lease_until, row.sync_started_at = "other", world.now + 2 * MINUTE, world.now
    world.db.commit()


# What comes in


def test_what_arrived_comes_in_once(world: World) -> None:
    deliver(world, 3)

    first, second = world.read(), world.read()

    assert (first["new"], second["new"]) == (3, 0)
    assert world.graph_ids() == world.ids_in_the_mailbox()
    assert broken_promises(world.db) == {}


def test_a_first_read_looks_back_as_far_as_the_settings_say(world: World) -> None:
    world.set(mail_lookback_days=7)
    world.graph.deliver(received_at=world.now - timedelta(days=8))
    recent = world.graph.deliver(received_at=world.now - timedelta(days=6))

    world.read()

    assert world.graph_ids() == [recent.immutable_id]


def test_the_inbox_is_read_until_folders_are_chosen(world: World) -> None:
    world.read()

    assert [(folder.graph_id, folder.path, folder.active) for folder in world.folders()] == [("inbox", "Inbox", True)]


def test_the_chosen_folders_are_read_and_no_others(world: World) -> None:
    world.read()
    chosen = world.graph.add_folder("Inbox/Backup")
    world.db.add(MailFolderRow(mailbox_id=world.row.id, graph_id=chosen.id, path="Inbox/Backup"))
    world.folder.active = False
    world.db.commit()
    world.graph.deliver(folder="Inbox")
    inside = world.graph.deliver(folder="Inbox/Backup")

    world.read()

    assert world.graph_ids() == [inside.immutable_id]


def test_without_a_folder_nothing_is_read_and_people_are_told(world: World) -> None:
    world.read()
    world.folder.active = False
    world.db.commit()

    world.read()

    assert (world.cycle.complete, world.cycle.error) == (False, "No folder of the mailbox is chosen.")
    assert world.row.last_error == "No folder of the mailbox is chosen."


def test_a_folder_that_is_gone_does_not_keep_the_others_from_being_read(world: World) -> None:
    world.read()
    world.db.add(MailFolderRow(mailbox_id=world.row.id, graph_id="AAMkgone", path="Inbox/Gone"))
    world.db.commit()
    deliver(world, 1)

    world.read()

    assert len(world.mails()) == 1
    assert (world.cycle.complete, world.cycle.error) == (False, "Not in the mailbox any more: Inbox/Gone")


def test_a_mail_that_is_moved_to_another_folder_that_is_read_comes_in_once(world: World) -> None:
    world.read()
    other = world.graph.add_folder("Inbox/Backup")
    world.db.add(MailFolderRow(mailbox_id=world.row.id, graph_id=other.id, path="Inbox/Backup"))
    world.db.commit()
    message = world.graph.deliver()
    world.read()
    world.graph.move(message, "Inbox/Backup")

    world.read()

    assert world.graph_ids() == [message.immutable_id]


def test_a_mail_that_somebody_dismissed_and_moves_about_stays_away(world: World) -> None:
    message = world.graph.deliver()
    world.read()
    world.graph.move(message, "Archive")
    world.graph.move(message, "Inbox")

    assert world.read()["new"] == 0


@pytest.mark.parametrize("effect", [Effect.REPEAT, Effect.EMPTY, Effect.REMOVED])
def test_odd_pages_change_nothing(world: World, effect: Effect) -> None:
    deliver(world, 120)
    world.graph.faults.add(Fault.page(effect, times=2))

    world.read()

    assert world.graph_ids() == world.ids_in_the_mailbox()
    assert world.cycle.complete


def test_items_that_are_no_mails_are_counted_and_shouted_about(world: World, caplog: pytest.LogCaptureFixture) -> None:
    deliver(world, 2)
    world.graph.faults.add(Fault.page(Effect.BROKEN))

    counts = world.read()

    assert (counts["new"], counts["broken"], world.cycle.complete) == (2, 2, True)
    assert [record.message for record in caplog.records if record.levelno == logging.ERROR] == [
        "a page held items that are no mails"
    ]


def test_fifty_mails_cost_one_request(world: World) -> None:
    world.set(import_batch=10_000)
    deliver(world, 500)

    counts = world.wake()

    assert counts["new"] == 500
    assert counts["requests"] == len(world.graph.calls) == 10


# Limits


def test_a_read_stops_at_its_limit_and_the_rest_follows_at_once(world: World) -> None:
    world.set(import_batch=100)
    deliver(world, 250)

    world.wake()
    stopped, wakes = world.cycle, world.wakes()
    world.wake(wakes[0].reason)
    world.wake(world.wakes()[0].reason)

    assert (stopped.complete, stopped.counts["new"], stopped.error) == (False, 100, "")
    assert [wake.reason for wake in wakes] == [WakeReason.MORE]
    assert [cycle.complete for cycle in world.cycles()] == [False, False, True]
    assert world.wakes() == []
    assert len(world.arrivals()) == 250


def test_a_read_by_hand_has_a_limit_of_its_own(world: World) -> None:
    world.set(manual_batch=50, import_batch=200)
    deliver(world, 120)

    world.wake(WakeReason.MANUAL)

    assert world.cycle.counts["new"] == 50


# Switched off


@pytest.mark.parametrize("reason", set(WakeReason) - {WakeReason.MANUAL, WakeReason.MORE})
def test_while_the_import_is_off_wakes_do_nothing(world: World, reason: WakeReason) -> None:
    world.set(import_enabled=False)
    deliver(world, 1)

    assert world.wake(reason) == {"off": 1}
    assert (world.graph.calls, world.cycles()) == ([], [])


def test_by_hand_mails_come_in_while_the_import_is_off(world: World) -> None:
    world.set(import_enabled=False)
    deliver(world, 120)

    world.read(WakeReason.MANUAL)

    assert len(world.mails()) == 50
    assert [cycle.trigger for cycle in world.cycles()] == ["manual"]


def test_what_a_read_by_hand_began_is_ended_while_the_import_is_off(world: World) -> None:
    world.set(import_enabled=False, move_processed=True)
    world.graph.deliver(make_eml_with(report_mail()))

    world.read(WakeReason.MANUAL)
    world.later(minutes=1)
    world.wake(WakeReason.MORE)

    assert [move.state for move in world.moves()] == ["done"]
    assert len(world.cycles()) == 1


def make_eml_with(report: bytes) -> bytes:
    return make_eml(
        subject="Fwd: report", body="See below.", sender="bo@oak.example", html=False, attachment=report,
        sent_at=NOW,
    )  # fmt: skip


# Whole mails


def test_a_forwarded_report_is_fetched_whole_and_then_comes_in(world: World) -> None:
    message = world.graph.deliver(make_eml_with(report_mail()))

    counts = world.read()

    (mail,) = world.mails()
    assert (mail.graph_id, mail.subject) == (message.immutable_id, "[Success] Nightly (2 objects)")
    assert counts["whole"] == 1


def test_a_forwarded_report_that_is_deleted_before_it_is_fetched_comes_in_as_its_message(world: World) -> None:
    message = world.graph.deliver(make_eml_with(report_mail()))
    world.wake()
    world.parse()
    world.graph.delete(message)

    world.read()

    assert [mail.subject for mail in world.mails()] == ["Fwd: report"]


def test_a_mail_that_cannot_be_fetched_whole_does_not_hold_up_the_others(world: World) -> None:
    world.graph.deliver(make_eml_with(report_mail()))
    world.wake()
    world.parse()
    world.graph.faults.add(Fault.of(500, on="/$value", times=None))
    deliver(world, 1)

    world.read()
    waiting = [(arrival.mime, arrival.last_error != "") for arrival in world.arrivals()]
    for _ in range(10):
        world.read()

    assert waiting == [(MimeState.WANTED, True)]
    assert min(mail.subject for mail in world.mails()) == "Fwd: report"
    assert len(world.mails()) == 2


# Wakes and leases


def test_a_wake_that_a_later_read_has_seen_to_is_dropped(world: World) -> None:
    before = world.now
    world.read()

    assert world.wake(at=before) == {"seen_to": 1}
    assert world.wake(at=world.row.sync_started_at + MINUTE)["requests"] == 1


def test_a_wake_after_a_read_that_failed_is_not_dropped(world: World) -> None:
    before = world.now
    world.graph.faults.add(Fault.of(400, on="delta"))
    world.read()

    assert world.wake(at=before)["requests"] == 1


def test_a_notification_is_let_settle_so_that_a_burst_is_one_read(world: World) -> None:
    world.wake(WakeReason.NOTIFICATION)
    world.wake(WakeReason.NOTIFICATION, at=world.now - 5 * MINUTE)

    assert world.slept == [2.0, 0.0]
    assert world.row.last_notification_at == world.now


def test_no_clock_of_another_machine_lets_a_worker_sleep_or_read_for_ever(world: World) -> None:
    world.wake(WakeReason.NOTIFICATION, at=world.now + timedelta(days=1))

    assert world.slept == [2.0]
    assert delta_calls(world) == 1


def test_who_finds_the_mailbox_taken_asks_the_holder_to_look_again(world: World) -> None:
    hold_the_mailbox(world)
    calls = delta_calls(world)

    assert world.wake(at=world.later(seconds=1)) == {"asked": 1}
    assert world.row.wake_requested_at == world.now
    assert delta_calls(world) == calls


def test_a_holder_that_was_asked_reads_again_before_it_ends(world: World) -> None:
    """The mail came after the page was read, and whoever heard of it found the mailbox taken."""
    real = world.mailbox.delta
    answers = []

    def delta(*args: object, **options: object):
        page = real(*args, **options)
        if not answers:
            world.graph.deliver()
            answers.append(world.wake(WakeReason.TIMER, at=world.later(seconds=5)))
        return page

    world.mailbox.delta = delta
    world.wake()
    world.parse()

    assert answers == [{"asked": 1}]
    assert world.graph_ids() == world.ids_in_the_mailbox()
    assert [cycle.complete for cycle in world.cycles()] == [True, True]
    assert world.row.lease_owner is None


def test_a_lease_that_ran_out_is_taken_over(world: World) -> None:
    hold_the_mailbox(world)
    deliver(world, 1)
    world.later(minutes=2)

    assert world.wake()["new"] == 1


def test_who_lost_the_mailbox_writes_nothing_more(world: World, caplog: pytest.LogCaptureFixture) -> None:
    deliver(world, 120)
    real = world.mailbox.delta

    def delta(*args: object, **options: object):
        page = real(*args, **options)
        if options["link"] is not None:
            with_another_owner(world)
        return page

    world.mailbox.delta = delta
    world.wake()

    assert len(world.arrivals()) == 50
    assert world.row.lease_owner == "other"
    assert not world.cycle.complete
    assert "the mailbox was lost to another worker" in caplog.messages


def with_another_owner(world: World) -> None:
    row = world.row
    row.lease_owner, row.lease_until = "other", world.now + 2 * MINUTE
    world.db.commit()


# What people see


def test_a_read_that_somebody_asked_for_can_be_watched(world: World) -> None:
    deliver(world, 60)
    seen = []
    real = world.mailbox.delta

    def delta(*args: object, **options: object):
        seen.append((world.cycle.request_id, world.cycle.finished_at, world.cycle.counts.get("new")))
        return real(*args, **options)

    world.mailbox.delta = delta
    world.set(manual_batch=200)
    world.wake(WakeReason.MANUAL, request_id="asked")

    assert seen == [("asked", None, None), ("asked", None, 50)]
    assert (world.cycle.complete, world.cycle.counts["new"]) == (True, 60)


def test_a_request_that_finds_the_mailbox_taken_is_answered_by_the_next_read(world: World) -> None:
    hold_the_mailbox(world)
    world.later(seconds=1)
    world.wake(WakeReason.MANUAL, request_id="asked")
    waiting = world.cycle.finished_at
    world.later(minutes=2)

    world.wake(WakeReason.TIMER)

    assert waiting is None
    assert [(cycle.request_id, cycle.complete) for cycle in world.cycles()] == [(None, True), ("asked", True)]


def test_a_request_that_comes_again_is_one_request(world: World) -> None:
    for _ in range(2):
        world.wake(WakeReason.MANUAL, request_id="asked")

    assert [cycle.request_id for cycle in world.cycles()].count("asked") == 1
