"""The connection test: each thing that may be wrong has a sentence of its own."""

import socket
from collections.abc import Iterator

import pytest

from shared.clients import graph_check
from shared.clients.connection_report import State, Step
from shared.clients.graph_check import try_connection
from shared.settings import Settings, read_settings
from tests.clients.conftest import ADDRESS
from tests.fake_graph import FakeGraph, Fault


@pytest.fixture
def settings(fake: FakeGraph) -> Settings:
    return read_settings({"GRAPH_BASE_URL": fake.url, "GRAPH_MAILBOX": ADDRESS})


def by_name(steps: tuple[Step, ...]) -> dict[str, Step]:
    return {step.name: step for step in steps}


def states(steps: tuple[Step, ...]) -> dict[str, str]:
    return {step.name: step.state.value for step in steps}


def test_a_mailbox_that_is_set_up_well_passes(fake: FakeGraph, settings: Settings) -> None:
    steps = try_connection(settings, other_address="boss@msp.example")

    assert states(steps) == {
        "Sign-in": "ok", "Mailbox": "ok", "Folder Inbox": "ok", "Moving mails": "ok", "Other mailboxes": "ok",
    }  # fmt: skip
    assert "out of reach" in steps[-1].says


def test_the_test_changes_nothing(fake: FakeGraph, settings: Settings) -> None:
    message = fake.deliver()
    before = message.id

    try_connection(settings)

    assert (message.id, len(fake.messages("Inbox"))) == (before, 1)
    assert {call.method for call in fake.calls} == {"GET", "POST"}


def test_missing_consent_is_told_and_what_needs_it_is_not_tried(fake: FakeGraph, settings: Settings) -> None:
    fake.graph.forbidden.add(ADDRESS)

    steps = try_connection(settings, other_address="boss@msp.example")

    assert states(steps) == {
        "Sign-in": "ok", "Mailbox": "failed", "Folder Inbox": "skipped", "Moving mails": "skipped",
        "Other mailboxes": "skipped",
    }  # fmt: skip
    assert "no right to this mailbox" in by_name(steps)["Mailbox"].says


def test_an_unknown_mailbox_is_told(fake: FakeGraph, settings: Settings) -> None:
    fake.graph.mailboxes.clear()

    assert "knows no mailbox reports@msp.example" in by_name(try_connection(settings))["Mailbox"].says


def test_a_folder_that_is_gone_is_told_and_the_rest_is_tried(fake: FakeGraph, settings: Settings) -> None:
    kept = fake.add_folder("Inbox/Backup")

    steps = try_connection(settings, folders={"AAMkgone": "Inbox/Old", kept.id: "Inbox/Backup"})

    assert "choose the folders again" in by_name(steps)["Folder Inbox/Old"].says
    assert by_name(steps)["Folder Inbox/Backup"].state is State.OK
    assert by_name(steps)["Moving mails"].state is State.OK


def test_throttling_is_told_with_its_time(fake: FakeGraph, settings: Settings) -> None:
    fake.faults.add(Fault.throttle("90", times=None))

    assert "try again in 90 seconds" in by_name(try_connection(settings))["Mailbox"].says


def test_a_host_that_cannot_be_reached_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    settings = read_settings({"GRAPH_BASE_URL": f"http://127.0.0.1:{port}/v1.0", "GRAPH_MAILBOX": ADDRESS})

    said = by_name(try_connection(settings))["Mailbox"].says

    assert said.startswith(f"Microsoft Graph's host can't be reached (127.0.0.1:{port}): check the network")


def test_a_sign_in_that_graph_does_not_take_is_told(fake: FakeGraph, settings: Settings) -> None:
    fake.faults.add(Fault.of(401))

    assert "401 (InvalidAuthenticationToken)" in by_name(try_connection(settings))["Mailbox"].says


def test_who_may_read_only_is_told(fake: FakeGraph, settings: Settings) -> None:
    fake.graph.may_write = False

    steps = try_connection(settings)

    assert by_name(steps)["Moving mails"].state is State.FAILED
    assert "Mail.ReadWrite" in by_name(steps)["Moving mails"].says
    assert by_name(try_connection(settings, moves=False))["Moving mails"].state is State.SKIPPED


def test_an_app_that_reaches_other_mailboxes_is_told(fake: FakeGraph, settings: Settings) -> None:
    fake.add_mailbox("boss@msp.example")
    fake.graph.forbidden.clear()

    step = by_name(try_connection(settings, other_address="boss@msp.example"))["Other mailboxes"]

    assert step.state is State.FAILED
    assert "can also read the mailbox boss@msp.example" in step.says


@pytest.mark.parametrize("other", ["nobody@msp.example", "Reports@MSP.example ", None])
def test_an_address_that_proves_nothing_is_not_called_good(settings: Settings, other: str | None) -> None:
    assert by_name(try_connection(settings, other_address=other))["Other mailboxes"].state is State.SKIPPED


def test_settings_that_cannot_work_are_told() -> None:
    (step,) = try_connection(read_settings({"GRAPH_MAILBOX": ADDRESS}))

    assert (step.name, step.state) == ("Settings", State.FAILED)
    assert "GRAPH_CLIENT_ID is not set" in step.says


def test_a_fault_of_our_own_is_told_and_logged(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Settings) -> Iterator[None]:
        raise RuntimeError("a slip")

    monkeypatch.setattr(graph_check, "identity_of", broken)

    (step,) = try_connection(settings)

    assert step.state is State.FAILED
    assert "a slip" not in step.says
    assert "the connection test broke off" in caplog.messages
