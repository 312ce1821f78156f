"""What goes wrong on the line, and what the client makes of it."""

import json
import logging
import socket
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from shared.clients import autotask_queries
from shared.clients.autotask import AutotaskTickets
from shared.clients.autotask_breaker import InMemoryBreaker
from shared.clients.autotask_line import Ask, AutotaskLine
from shared.clients.autotask_queries import Op, all_rows, where
from shared.clients.autotask_rows import TicketRow
from shared.clients.autotask_tickets import Conventions
from shared.clients.autotask_wire import CallRecord
from shared.clients.errors import (
    BadAnswer,
    BadCredentials,
    InvalidData,
    NotAllowed,
    Refused,
    Throttled,
    Unavailable,
    UnknownIntegrationCode,
    Unreached,
    Upstream,
)
from shared.clients.patience import Patience
from shared.domain.ticketing import TicketChange
from tests.clients.conftest import CREDENTIALS, NOON, look, way_to
from tests.fake_autotask import CODE, SECRET, USER, Effect, FakeAutotask, Fault

IN_TEN_SECONDS = "Mon, 02 Mar 2026 12:00:10 GMT"
NOT_ZONE = r"V1.0/(?!Zone)"

Way = Callable[..., AutotaskLine]


@pytest.mark.parametrize(
    "fault",
    [Fault.of(502), Fault.of(503), Fault.of(504), Fault.of(408), Fault.of(500), Fault.of(500, "Query timed out."),
     Fault(effect=Effect.HTML), Fault(effect=Effect.CLOSE), Fault(effect=Effect.CUT)],
    ids=lambda fault: f"{fault.effect} {fault.status} {fault.says}",
)  # fmt: skip
def test_what_passes_is_tried_again(
    tenant: FakeAutotask, psa: AutotaskTickets, naps: list[float], fault: Fault
) -> None:
    tenant.plan(fault.at(NOT_ZONE))

    assert look(psa) == ["Managed services"]
    assert len(naps) == 1
    assert 0.3 < naps[0] < 0.7


@pytest.mark.parametrize(
    "fault, attempts",
    [(Fault.of(503), 4), (Fault.of(500), 2), (Fault.of(500, "Unable to find x in the Company Entity."), 1),
     (Fault.of(404), 1), (Fault.of(405), 1), (Fault.of(403), 1), (Fault(effect=Effect.HALF), 1)],
    ids=lambda value: str(getattr(value, "status", value)),
)  # fmt: skip
def test_what_does_not_pass_is_given_up(
    tenant: FakeAutotask, psa: AutotaskTickets, fault: Fault, attempts: int
) -> None:
    tenant.plan(fault.at(NOT_ZONE, times=None))

    with pytest.raises(Upstream):
        look(psa)

    assert len(tenant.calls_to("Companies/query")) == attempts


@pytest.mark.parametrize(
    "fault, kind",
    [
        (Fault.of(503), Unavailable),
        (Fault.of(500, "Unable to find x in the Company Entity."), InvalidData),
        (Fault.of(500, "The logged in Resource does not have the adequate permissions to query."), NotAllowed),
        (Fault.of(403), NotAllowed),
        (Fault.of(404), Refused),
        (Fault.of(500, "IntegrationCode is invalid."), UnknownIntegrationCode),
        (Fault(effect=Effect.HALF), BadAnswer),
        (Fault(effect=Effect.ERRORS, says=("Something failed.",)), InvalidData),
    ],
)
def test_a_refusal_is_told_by_what_one_can_do_about_it(
    tenant: FakeAutotask, psa: AutotaskTickets, fault: Fault, kind: type[Upstream]
) -> None:
    tenant.plan(fault.at(NOT_ZONE, times=None))

    with pytest.raises(Upstream) as raised:
        look(psa)

    assert type(raised.value) in (kind, *kind.__subclasses__())


def test_reasons_come_in_several_shapes(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    said: tuple[object, ...] = ({"message": "As an object."}, "x" * 900)
    tenant.plan(Fault.of(500, *said).at(NOT_ZONE))  # type: ignore[arg-type]

    with pytest.raises(InvalidData) as raised:
        look(psa)

    assert raised.value.says == ("As an object.", "x" * 500)
    assert "object" not in str(raised.value)


@pytest.mark.parametrize("asked, waited", [("5", 5), ("0", 0), (IN_TEN_SECONDS, 10)])
def test_we_wait_as_long_as_autotask_asks(
    tenant: FakeAutotask, psa: AutotaskTickets, naps: list[float], asked: str, waited: float
) -> None:
    tenant.plan(Fault.throttle(asked).at(NOT_ZONE))

    assert look(psa)
    assert naps == [waited]


@pytest.mark.parametrize("fault", [Fault.throttle(None), Fault.threads(500), Fault.threads(429), Fault.threads(403)])
def test_where_autotask_says_no_time_the_pauses_grow(
    tenant: FakeAutotask, psa: AutotaskTickets, naps: list[float], fault: Fault
) -> None:
    tenant.plan(fault.at(NOT_ZONE, times=3))

    assert look(psa)
    assert len(naps) == 3
    assert 0.7 < naps[0] < 1.3 < naps[1] < 2.6 < naps[2] < 5.1


def test_a_long_wait_is_left_to_the_caller(tenant: FakeAutotask, psa: AutotaskTickets, naps: list[float]) -> None:
    tenant.plan(Fault.throttle("600").at(NOT_ZONE))

    with pytest.raises(Throttled) as raised:
        look(psa)

    assert (raised.value.retry_after, naps) == (timedelta(minutes=10), [])


@pytest.mark.parametrize("asked", ["601", "86400", "Tue, 03 Mar 2026 12:00:00 GMT"])
def test_no_wait_is_longer_than_ten_minutes(tenant: FakeAutotask, psa: AutotaskTickets, asked: str) -> None:
    tenant.plan(Fault.throttle(asked).at(NOT_ZONE))

    with pytest.raises(Throttled) as raised:
        look(psa)

    assert raised.value.retry_after == timedelta(minutes=10)


def test_a_change_is_repeated_because_it_says_what_shall_be(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    ticket_id = tenant.add_ticket()
    tenant.plan(Fault(effect=Effect.LOST).at("Tickets$", method="PATCH"))

    psa.change(ticket_id, TicketChange(status_id="8"))

    first, second = tenant.calls_to("Tickets", method="PATCH")
    assert first.body == second.body
    assert tenant.tickets[0]["status"] == 8


def walked(way: AutotaskLine) -> list[int]:
    return [row.id for row in all_rows(way, "Tickets", TicketRow, where("status", Op.EQ, 1))]


def test_a_link_to_further_pages_is_not_followed(
    tenant: FakeAutotask, way: AutotaskLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autotask_queries, "MOST_ROWS", 2)
    made = [int(tenant.add_ticket()) for _ in range(3)]
    with FakeAutotask() as elsewhere:
        tenant.plan(Fault(effect=Effect.FOREIGN, to=elsewhere.url).at(NOT_ZONE))

        assert walked(way) == made
        assert elsewhere.calls == []


def test_pages_lose_nothing_while_rows_come_and_go(
    tenant: FakeAutotask, way: AutotaskLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autotask_queries, "MOST_ROWS", 2)
    made = [int(tenant.add_ticket()) for _ in range(7)]
    change = Fault(effect=Effect.THEN).at("query")
    tenant.plan(
        replace(change, after=lambda world: world.delete_ticket(made[0])),
        replace(change, after=lambda world: world.edit_ticket(made[1], {"status": 5})),
        replace(change, after=lambda world: world.add_ticket({})),
    )

    assert walked(way) == [*made, made[-1] + 2]


def test_a_row_that_comes_twice_is_one(
    tenant: FakeAutotask, way: AutotaskLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autotask_queries, "MOST_ROWS", 2)
    made = [int(tenant.add_ticket()) for _ in range(5)]
    tenant.plan(Fault(effect=Effect.DOUBLE, times=None).at("query"))

    assert walked(way) == made


def test_a_page_that_comes_again_and_again_ends_the_walk(
    tenant: FakeAutotask, way: AutotaskLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(autotask_queries, "MOST_ROWS", 2)
    for _ in range(5):
        tenant.add_ticket()
    tenant.plan(Fault(effect=Effect.THEN).at("query"), Fault(effect=Effect.REPEAT, times=None).at("query"))

    with pytest.raises(BadAnswer):
        walked(way)

    assert len(tenant.calls_to("Tickets/query")) < 10


def test_no_more_than_one_request_at_once_goes_to_an_endpoint(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    tenant.world.rules.latency_factor, tenant.world.used = 0.05, 7_500

    with ThreadPoolExecutor(6) as pool:
        assert len(list(pool.map(lambda _: look(psa), range(6)))) == 6

    assert tenant.most_at_once == 1
    assert {call.status for call in tenant.calls} == {200}


def test_proxies_and_cookies_of_others_are_not_used(
    tenant: FakeAutotask, psa: AutotaskTickets, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    tenant.plan(Fault(effect=Effect.REFUSE, status=503, headers=(("Set-Cookie", "session=1"),)).at(NOT_ZONE))

    assert look(psa)
    assert not any("cookie" in call.headers for call in tenant.calls)


def test_a_host_that_is_not_there_was_not_reached(
    naps: list[float], breaker: InMemoryBreaker, records: list[CallRecord]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    with way_to(url, naps, breaker, records) as line, pytest.raises(Unreached):
        line.call(Ask(method="GET", path="Companies/0"))
    assert len(naps) == 3


def test_an_answer_that_takes_too_long_is_given_up(
    tenant: FakeAutotask, naps: list[float], breaker: InMemoryBreaker, records: list[CallRecord]
) -> None:
    hurried = Patience(read=timedelta(seconds=0.2), faults=0)
    tenant.plan(Fault(effect=Effect.SLOW, seconds=1).at(NOT_ZONE))

    with way_to(tenant.url, naps, breaker, records, patience=hurried) as line, pytest.raises(Unavailable, match="time"):
        line.call(Ask(method="GET", path="Companies/0"))


def test_the_flight_recorder_is_told_of_each_attempt(
    tenant: FakeAutotask, psa: AutotaskTickets, records: list[CallRecord]
) -> None:
    tenant.plan(Fault.of(503, on="query"), Fault.of(500, "A customer's name.", on="query"))

    with pytest.raises(InvalidData):
        look(psa)

    assert [(each.method, each.path, each.status, each.attempt, each.error) for each in records] == [
        ("GET", "ZoneInformation", 200, 1, ""),
        ("POST", "Companies/query", 503, 1, "Unavailable"),
        ("POST", "Companies/query", 500, 2, "InvalidData"),
    ]
    assert {each.at for each in records} == {NOON}
    assert not any(word in repr(records) for word in (SECRET, CODE, USER, "customer's name"))


def test_a_flight_recorder_that_fails_changes_no_outcome(
    tenant: FakeAutotask, way: AutotaskLine, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(record: CallRecord) -> None:
        raise RuntimeError

    way._record = broken

    assert look(AutotaskTickets(way, Conventions()))
    assert "the flight recorder failed" in caplog.text


@pytest.mark.parametrize("secret", [f"{SECRET}\r\nX: 1", f"{SECRET}☃", SECRET])
def test_no_secret_gets_into_errors_logs_or_reprs(
    tenant: FakeAutotask,
    naps: list[float],
    breaker: InMemoryBreaker,
    records: list[CallRecord],
    caplog: pytest.LogCaptureFixture,
    secret: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    credentials = replace(CREDENTIALS, secret=secret)
    tenant.plan(Fault(effect=Effect.CLOSE).at(NOT_ZONE, times=None))

    with way_to(tenant.url, naps, breaker, records, credentials=credentials) as line, pytest.raises(Upstream) as raised:
        line.call(Ask(method="GET", path="Companies/0"))

    whole = "".join(traceback.format_exception(raised.value)) + caplog.text + repr(credentials) + repr(records)
    assert not any(word in whole for word in (SECRET, CODE, USER))
    problem: BaseException | None = raised.value
    while problem is not None:
        assert problem.__class__.__module__.startswith("shared.")
        problem = problem.__context__


def test_credentials_that_no_header_can_hold_are_told_as_such(
    tenant: FakeAutotask, naps: list[float], breaker: InMemoryBreaker, records: list[CallRecord]
) -> None:
    credentials = replace(CREDENTIALS, secret="a\r\nb")

    with way_to(tenant.url, naps, breaker, records, credentials=credentials) as line, pytest.raises(BadCredentials):
        line.call(Ask(method="GET", path="Companies/0"))


def test_every_call_says_what_autotask_wants_to_hear(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    look(psa)

    zone, call = tenant.calls
    assert set(zone.headers) <= {"host", "user-agent", "accept", "accept-encoding", "connection"}
    assert (call.headers["username"], call.headers["secret"]) == (USER, SECRET)
    assert (call.headers["apiintegrationcode"], call.headers["content-type"]) == (CODE, "application/json")
    assert "cookie" not in call.headers


def test_our_code_names_no_operator_but_those_that_exist() -> None:
    """An unknown one is dropped without a word; so operators stand in one place."""
    assert len(Op) == 13
    for path in Path("shared/clients").glob("autotask*.py"):
        lines = [line for line in path.read_text().splitlines() if '"op"' in line]
        assert path.name == "autotask_queries.py" or lines == []
        assert all(json.dumps("or") in line or "str(op)" in line for line in lines)
