"""What goes wrong on the line, and what the client makes of it."""

import logging
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from time import sleep

import pytest

from shared.clients.errors import (
    BadCredentials,
    NotAllowed,
    NotFound,
    Refused,
    SyncStateLost,
    Throttled,
    Unavailable,
    Upstream,
)
from shared.clients.graph import GraphClient
from shared.clients.graph_line import AT_ONCE, GraphLine
from shared.clients.patience import Patience
from tests.clients.conftest import ADDRESS, Waits
from tests.fake_graph import FakeGraph, Fault

IN_TEN_SECONDS = "Mon, 02 Mar 2026 12:00:10 GMT"


@pytest.fixture
def hurried(fake: FakeGraph, waits: Waits) -> Iterator[GraphClient]:
    """A client that waits a moment for an answer."""
    line = GraphLine(fake.url, None, patience=Patience(read=timedelta(seconds=0.2)), sleep=waits.sleep)
    yield GraphClient(ADDRESS, line)
    line.close()


def names(mailbox: GraphClient) -> list[str]:
    return [folder.path for folder in mailbox.folders()]


@pytest.mark.parametrize(
    "fault",
    [Fault.of(500), Fault.of(502), Fault.of(503), Fault.of(504), Fault.of(408), Fault.cut(), Fault.hang(0.01)],
    ids=lambda fault: f"{fault.effect} {fault.status}",
)
def test_what_passes_is_tried_again(fake: FakeGraph, mailbox: GraphClient, waits: Waits, fault: Fault) -> None:
    fake.faults.add(fault)

    assert "Inbox" in names(mailbox)
    assert len(waits) == 1
    assert 0.3 < waits[0] < 0.7


@pytest.mark.parametrize("asked, waited", [("7", 7), ("0", 0), ("1.5", 1.5), (IN_TEN_SECONDS, 10)])
def test_we_wait_as_long_as_graph_asks(
    fake: FakeGraph, mailbox: GraphClient, waits: Waits, asked: str, waited: float
) -> None:
    fake.faults.add(Fault.throttle(asked))

    assert "Inbox" in names(mailbox)
    assert waits == [waited]


@pytest.mark.parametrize("asked", [None, "soon", "", "-5"])
def test_where_graph_says_no_time_the_pauses_grow(
    fake: FakeGraph, mailbox: GraphClient, waits: Waits, asked: str | None
) -> None:
    fake.faults.add(*[Fault.throttle(asked)] * 3)

    assert "Inbox" in names(mailbox)
    assert len(waits) == 3
    assert 0.7 < waits[0] < 1.3 < waits[1] < 2.6 < waits[2] < 5.1


def test_a_long_wait_is_left_to_the_caller(fake: FakeGraph, mailbox: GraphClient, waits: Waits) -> None:
    fake.faults.add(Fault.throttle("120"))

    with pytest.raises(Throttled) as raised:
        mailbox.folders()

    assert raised.value.retry_after == timedelta(minutes=2)
    assert waits == []


def test_waits_of_one_call_add_up_to_half_a_minute_at_most(fake: FakeGraph, mailbox: GraphClient, waits: Waits) -> None:
    fake.faults.add(Fault.throttle("12", times=None))

    with pytest.raises(Throttled) as raised:
        mailbox.folders()

    assert waits == [12, 12]
    assert raised.value.retry_after == timedelta(seconds=12)


def test_who_is_told_to_come_back_at_once_for_ever_gives_up(fake: FakeGraph, mailbox: GraphClient) -> None:
    fake.faults.add(Fault.throttle("0", times=None))

    with pytest.raises(Throttled):
        mailbox.folders()

    assert len(fake.calls) == 9


def test_a_503_that_asks_for_time_is_waited_for(fake: FakeGraph, mailbox: GraphClient, waits: Waits) -> None:
    fake.faults.add(Fault.throttle("4"), Fault.of(503))
    fake.faults.add(Fault(effect=Fault.of(503).effect, status=503, headers=(("Retry-After", "5"),)))

    assert "Inbox" in names(mailbox)
    assert (waits[0], waits[2]) == (4, 5)


@pytest.mark.parametrize(
    "fault, words",
    [
        (Fault.of(503, times=None), "503"),
        (Fault.cut(times=None), "no whole answer"),
        (Fault.hang(0, times=None), "no whole answer"),
    ],
)
def test_what_does_not_pass_is_unavailable_after_four_attempts(
    fake: FakeGraph, mailbox: GraphClient, waits: Waits, fault: Fault, words: str
) -> None:
    fake.faults.add(fault)

    with pytest.raises(Unavailable, match=words):
        mailbox.folders()

    assert mailbox.requests == len(fake.calls) == 4
    assert waits == sorted(waits)


def test_a_server_that_says_nothing_is_not_waited_for(fake: FakeGraph, hurried: GraphClient) -> None:
    fake.faults.add(Fault.hang(30, times=None))

    with pytest.raises(Unavailable, match="in time"):
        hurried.folders()


def test_a_whole_answer_has_a_limit_too(fake: FakeGraph, waits: Waits) -> None:
    line = GraphLine(fake.url, None, patience=Patience(attempt=timedelta(seconds=0.1), faults=0), sleep=waits.sleep)
    fake.faults.add(Fault.hang(30, times=None))

    with pytest.raises(Unavailable, match="in time"):
        GraphClient(ADDRESS, line).folders()
    line.close()


def test_an_overlong_call_makes_no_further_attempt(fake: FakeGraph, waits: Waits) -> None:
    line = GraphLine(fake.url, None, patience=Patience(call=timedelta(seconds=-1)), sleep=waits.sleep)
    fake.faults.add(Fault.of(503))

    with pytest.raises(Unavailable):
        GraphClient(ADDRESS, line).folders()
    line.close()

    assert len(fake.calls) == 1


def test_a_host_where_nobody_listens_is_unavailable(waits: Waits) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    line = GraphLine(f"http://127.0.0.1:{port}/v1.0", None, sleep=waits.sleep)

    with pytest.raises(Unavailable, match="can't be reached"):
        GraphClient(ADDRESS, line).folders()
    line.close()


@pytest.mark.parametrize(
    "status, kind",
    [
        (400, Refused),
        (401, BadCredentials),
        (403, NotAllowed),
        (404, NotFound),
        (409, Refused),
        (410, SyncStateLost),
        (423, Refused),
    ],
)
def test_a_refusal_is_asked_once_and_has_a_kind(
    fake: FakeGraph, mailbox: GraphClient, waits: Waits, status: int, kind: type[Upstream]
) -> None:
    fake.faults.add(Fault.of(status))

    with pytest.raises(kind, match=str(status)) as raised:
        mailbox.folders()

    assert type(raised.value) is kind
    assert not raised.value.retryable
    assert (len(fake.calls), waits) == (1, [])


def test_a_redirect_is_not_followed(fake: FakeGraph, mailbox: GraphClient) -> None:
    with FakeGraph() as foreign:
        fault = Fault(effect=Fault.of(302).effect, status=302, headers=(("Location", f"{foreign.url}/users"),))
        fake.faults.add(fault)

        with pytest.raises(Upstream, match="302"):
            mailbox.folders()

        assert foreign.calls == []


def test_messages_of_graph_stay_out_of_errors_and_logs(
    fake: FakeGraph, mailbox: GraphClient, caplog: pytest.LogCaptureFixture
) -> None:
    fake.graph.mailboxes.clear()

    with caplog.at_level(logging.DEBUG), pytest.raises(NotFound) as raised:
        mailbox.folders()

    ours = [f"{record.getMessage()} {vars(record)}" for record in caplog.records if record.name != "asyncio"]
    assert str(raised.value) == "Microsoft Graph answered 404 (ErrorInvalidUser)"
    assert any("refused a request" in text for text in ours)
    assert not any("reports" in text for text in ours)


def test_there_is_never_a_fifth_request_at_once(fake: FakeGraph, mailbox: GraphClient) -> None:
    made = [fake.deliver().immutable_id for _ in range(12)]

    with ThreadPoolExecutor(7) as pool:
        with fake.listener.held():
            others = [pool.submit(mailbox.folders) for _ in range(6)]
            fetched = pool.submit(lambda: dict(mailbox.mime(made)))
            while fake.listener.under_way < AT_ONCE:
                sleep(0.01)
        assert len(fetched.result()) == 12
        assert all(other.result() for other in others)

    assert fake.most_at_once == AT_ONCE
    assert {call.status for call in fake.calls} == {200}
