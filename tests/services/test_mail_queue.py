"""What queue messages do, through the settings and the client that the functions use."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from threading import Barrier

import pytest
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from shared import cli
from shared.clients.graph import open_mailbox
from shared.clients.queue_memory import MemoryQueues
from shared.domain.mailflow import Source
from shared.domain.queue_message import BadMessage, ParseBatch, Queue, Wake, WakeReason
from shared.models.mailbox import MailArrival
from shared.models.system import ImportCycle, SystemSettings
from shared.services.mail_coverage import covered_until
from shared.services.mail_queue import handle_parse, handle_wake
from shared.services.tick_mail_import import tick_mail_import
from shared.services.work_off import work_off
from shared.settings import settings
from tests.builders import make_arrival, nights
from tests.fake_graph import Fault
from tests.fake_graph.eml import make_eml
from tests.ledger import broken_promises
from tests.mails import report_mail
from tests.services.mailbox_world import World


@pytest.fixture
def app(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """The world, with settings that name its mailbox."""
    monkeypatch.setenv("GRAPH_BASE_URL", world.graph.url)
    monkeypatch.setenv("GRAPH_MAILBOX", world.graph.mailbox.address)
    settings.cache_clear()
    yield world
    open_mailbox(settings()).close()
    settings.cache_clear()


@pytest.fixture
def folder(committed_db: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A mail folder in place of a mailbox, with a report of each of three nights."""
    for number, at in enumerate(nights(3)):
        (tmp_path / f"{number}.eml").write_bytes(report_mail(sent_at=at))
    monkeypatch.setenv("MAIL_FOLDER", str(tmp_path))
    monkeypatch.delenv("GRAPH_MAILBOX", raising=False)
    settings.cache_clear()
    yield tmp_path
    settings.cache_clear()


def handled(app: World, reason: WakeReason, **facts: object) -> dict[str, int]:
    wake = Wake(reason=reason, at=app.now, **facts)
    return handle_wake(wake.to_json(), app.queues, clock=lambda: app.now, sleep=app.slept.append)


def test_twenty_notifications_at_once_lead_to_one_read(app: World) -> None:
    app.read()
    messages = [app.graph.deliver() for _ in range(20)]
    calls = len(app.graph.calls)
    told_at, ready = app.later(seconds=1), Barrier(20)
    app.later(seconds=3)

    def notify(_: object) -> dict[str, int]:
        wake = Wake(reason=WakeReason.NOTIFICATION, at=told_at)
        ready.wait()
        return handle_wake(wake.to_json(), app.queues, clock=lambda: app.now, sleep=lambda _: None)

    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(notify, messages))

    assert len(app.graph.calls) == calls + 1
    assert sum("requests" in answer for answer in answers) == 1
    assert len(app.arrivals()) == 20
    assert app.wakes() == []


def test_wakes_and_batches_bring_every_mail_in(app: World) -> None:
    app.set(import_batch=50)
    for _ in range(120):
        app.graph.deliver()

    tick_mail_import(app.queues, clock=lambda: app.now)
    done = work_off(app.queues, clock=lambda: app.now)

    assert app.graph_ids() == app.ids_in_the_mailbox()
    assert (done.counts["new"], done.counts["inbox"], done.problem) == (120, 120, "")
    assert broken_promises(app.db) == {}


def test_a_wanted_mail_asks_for_a_read_of_the_mailbox(app: World) -> None:
    mail = make_eml(
        subject="Fwd", body="See below.", sender="bo@oak.example", html=False, sent_at=app.now, attachment=report_mail()
    )
    arrival_id = make_arrival(app.db, mail, address=app.mailbox.address)
    app.db.commit()

    counts = handle_parse(ParseBatch(arrival_ids=(arrival_id,)).to_json(), app.queues, clock=lambda: app.now)

    assert counts["wanted"] == 1
    assert [wake.reason for wake in app.wakes()] == [WakeReason.MORE]


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"version": 1, "reason": "tea"}', "\x00", "9" * 5_000])
def test_a_message_that_nobody_wrote_is_refused(app: World, text: str) -> None:
    for handle in (handle_wake, handle_parse):
        with pytest.raises(BadMessage):
            handle(text, app.queues)


def test_a_removed_subscription_is_seen_to_and_the_mailbox_is_read(app: World) -> None:
    app.read()
    app.graph.deliver()

    counts = handled(app, WakeReason.LIFECYCLE_REMOVED)

    assert counts["new"] == 1
    assert len(app.subscriptions()) == 1  # without PUBLIC_URL it says that it failed


def test_a_reauthorization_reads_nothing(app: World) -> None:
    app.read()
    calls = len(app.graph.calls_to("delta"))

    handled(app, WakeReason.LIFECYCLE_REAUTHORIZE)

    assert len(app.graph.calls_to("delta")) == calls
    assert len(app.subscriptions()) == 1


# The timer


def test_the_timer_asks_for_a_read_once_an_interval(app: World) -> None:
    cycles = []
    for minutes in (0, 5, 5, 5, 5):
        app.later(minutes=minutes)
        cycles.append(tick_mail_import(app.queues, clock=lambda: app.now)["cycles"])
        work_off(app.queues, clock=lambda: app.now)

    assert cycles == [1, 0, 0, 1, 0]


def test_the_timer_has_folders_subscribed_that_never_were(app: World) -> None:
    """Else a fresh installation is only polled until the subscription timer comes, hours later."""
    app.read()
    app.later(minutes=20)

    tick_mail_import(app.queues, clock=lambda: app.now)
    work_off(app.queues, clock=lambda: app.now)
    app.later(minutes=20)
    tick_mail_import(app.queues, clock=lambda: app.now)

    assert len(app.subscriptions()) == 1
    assert [wake.reason for wake in app.wakes()] == [WakeReason.TIMER]


def test_a_read_by_hand_does_not_delay_the_timer_but_one_that_was_notified_does(app: World) -> None:
    app.wake(WakeReason.MANUAL)
    after_manual = tick_mail_import(app.queues, clock=lambda: app.now)["cycles"]
    app.wakes()
    app.later(minutes=1)
    app.wake(WakeReason.NOTIFICATION)
    after_notification = tick_mail_import(app.queues, clock=lambda: app.now)["cycles"]

    assert (after_manual, after_notification) == (1, 0)


def test_the_timer_gives_out_again_what_was_lost_on_its_way(app: World) -> None:
    app.set(import_enabled=False)
    lost = make_arrival(app.db, report_mail(), now=app.now - timedelta(minutes=11))
    never = make_arrival(app.db, report_mail(), now=app.now)
    app.db.get_one(MailArrival, never).queued_at = None
    make_arrival(app.db, report_mail(), now=app.now - timedelta(minutes=9))
    app.db.commit()

    counts = [tick_mail_import(app.queues, clock=lambda: app.now) for _ in range(2)]

    taken = app.queues.take(Queue.MAIL_PARSE.value)
    assert [count["given_out_again"] for count in counts] == [2, 0]
    assert taken
    assert ParseBatch.from_json(taken.body).arrival_ids == (lost, never)


def test_the_command_line_does_all_of_it_in_one_go(app: World, capsys: pytest.CaptureFixture[str]) -> None:
    app.set(move_processed=True)
    for _ in range(3):
        app.graph.deliver()

    status = cli.main(["tick", "mail_import", "--json", "--now", app.now.isoformat()])

    counts = json.loads(capsys.readouterr().out)
    assert status == 0
    assert (counts["cycles"], counts["new"], counts["inbox"], counts["moved"]) == (1, 3, 3, 3)
    assert app.graph.messages("Inbox") == []


def test_the_command_line_says_what_graph_said(app: World, capsys: pytest.CaptureFixture[str]) -> None:
    app.graph.faults.add(Fault.of(403, on="delta"))

    status = cli.main(["tick", "mail_import", "--json", "--now", app.now.isoformat()])

    assert status == 1
    assert capsys.readouterr().err.strip() == app.row.last_error


# A folder in the mailbox's place


def test_by_hand_a_folder_is_imported_under_the_id_by_which_a_page_finds_it(
    committed_db: Session, folder: Path
) -> None:
    wake = Wake(reason=WakeReason.MANUAL, at=nights(1)[0], request_id="asked")

    counts = [handle_wake(wake.to_json(), MemoryQueues()) for _ in range(2)]

    (cycle,) = committed_db.scalars(select(ImportCycle)).all()
    assert (counts[0]["new"], counts[1]) == (3, {"seen_to": 1})
    assert (cycle.request_id, cycle.trigger, cycle.complete, cycle.counts["new"]) == ("asked", "manual", True, 3)


def test_a_folder_that_is_gone_is_said_to_whoever_asked(committed_db: Session, folder: Path) -> None:
    for path in folder.iterdir():
        path.unlink()
    folder.rmdir()

    handle_wake(Wake(reason=WakeReason.MANUAL, at=nights(1)[0], request_id="asked").to_json(), MemoryQueues())

    (cycle,) = committed_db.scalars(select(ImportCycle)).all()
    assert "does not exist" in cycle.error
    assert not cycle.complete


def test_a_folder_is_read_for_a_timer_that_stopped_unless_it_was_read_since(
    committed_db: Session, folder: Path
) -> None:
    off = handle_wake(Wake(reason=WakeReason.HEAL, at=nights(1)[0]).to_json(), MemoryQueues())
    handle_wake(Wake(reason=WakeReason.MANUAL, at=nights(1)[0]).to_json(), MemoryQueues())
    committed_db.execute(update(SystemSettings).values(import_enabled=True))
    committed_db.commit()
    seen = handle_wake(Wake(reason=WakeReason.HEAL, at=nights(1)[0]).to_json(), MemoryQueues())

    assert (off, seen) == ({"off": 1}, {"seen_to": 1})


# Coverage


def test_a_whole_read_covers_the_mailbox_up_to_its_start(app: World) -> None:
    never = covered_until(app.db, Source.GRAPH, 1)
    app.read()
    started_at = app.row.sync_started_at
    app.later(hours=1)
    app.graph.faults.add(Fault.of(403, on="delta"))
    app.read()

    assert never is None
    assert covered_until(app.db, Source.GRAPH, app.row.id) == started_at


def test_a_read_that_stopped_at_its_limit_covers_nothing(app: World) -> None:
    app.set(import_batch=50)
    for _ in range(60):
        app.graph.deliver()

    app.wake()

    assert covered_until(app.db, Source.GRAPH, app.row.id) is None


def test_a_mail_that_waits_to_be_imported_holds_the_coverage_back(app: World) -> None:
    message = app.graph.deliver(received_at=app.now - timedelta(minutes=7))
    app.wake()
    waiting = covered_until(app.db, Source.GRAPH, app.row.id)
    app.parse()
    app.db.rollback()

    assert waiting == message.received_at
    assert covered_until(app.db, Source.GRAPH, app.row.id) == app.row.sync_started_at
