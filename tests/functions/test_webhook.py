"""What Graph is answered, and what anybody else achieves with the same addresses: nothing."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, List, get_args, get_origin, get_type_hints  # noqa: UP035 -- as the code under test
from unittest.mock import ANY

import azure.functions as func
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from functions.mail_import.notifications import LARGEST_BODY
from functions.mail_import.webhook import graph_lifecycle, graph_notifications
from infra.local.functions import Output
from shared import clock
from shared.domain.client_state import client_state
from shared.domain.queue_message import Wake, WakeReason
from shared.settings import settings as of_the_app

KEY = "k" * 32
MAILBOX = "reports@larch.example"
OURS = client_state(KEY, MAILBOX)
DECORATED = {"graph_notifications": graph_notifications, "graph_lifecycle": graph_lifecycle}
ADDRESSES = {"graph_notifications": "notifications", "graph_lifecycle": "lifecycle"}
BOTH = pytest.mark.parametrize("name", DECORATED)


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: str
    headers: dict[str, str]
    queued: list[str]

    @property
    def reasons(self) -> list[WakeReason]:
        return [Wake.from_json(text).reason for text in self.queued]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("APP_SECRET_KEY", KEY)
    monkeypatch.setenv("GRAPH_MAILBOX", MAILBOX)
    monkeypatch.delenv("APP_ENV", raising=False)
    of_the_app.cache_clear()
    yield
    of_the_app.cache_clear()


def call(name: str, body: bytes = b"", **params: str) -> Answer:
    output = Output()
    address = f"https://backup.example/api/graph/{ADDRESSES[name]}"
    function: Callable[..., func.HttpResponse] = DECORATED[name].build().get_user_function()
    answer = function(func.HttpRequest("POST", address, params=params, body=body), output)
    return Answer(answer.status_code, answer.get_body().decode(), dict(answer.headers), output.messages)


def said(*items: Any) -> bytes:
    return json.dumps({"value": items}).encode()


def item(state: object = OURS, **facts: object) -> dict[str, object]:
    return {"subscriptionId": "s", "changeType": "created", "clientState": state, **facts}


@BOTH
def test_outputs_are_annotated_in_the_way_that_the_platform_understands(name: str) -> None:
    """With `func.Out[list[str]]` its worker finds no function at all."""
    hints = get_type_hints(DECORATED[name].build().get_user_function())

    [output] = [get_args(hint) for hint in hints.values() if get_origin(hint) is func.Out]

    assert output in [(str,), (List[str],)]  # noqa: UP006 -- that is the point
    assert output != (list[str],)


@BOTH
@pytest.mark.parametrize("token", ["Validation: Testing reachability. Request-Id: 1-2", "<b>ä</b>", "x" * 1024])
def test_a_validation_token_is_sent_back_as_plain_text(name: str, token: str) -> None:
    answer = call(name, validationToken=token)

    assert (answer.status, answer.body, answer.queued) == (200, token, [])
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@BOTH
@pytest.mark.parametrize("token", ["", "x" * 1025, "two\r\nlines", "\x1b[2J", "\ud800"], ids=repr)
def test_a_token_that_graph_would_not_send_is_not_sent_back(name: str, token: str) -> None:
    answer = call(name, said(item()), validationToken=token)

    assert (answer.status, answer.body, answer.queued) == (400, "not a validation token", [])


def test_a_notification_wakes_the_reader() -> None:
    before = clock.now()

    answer = call("graph_notifications", said(item()))

    assert (answer.status, answer.body) == (202, "")
    [wake] = map(Wake.from_json, answer.queued)
    assert wake == Wake(reason=WakeReason.NOTIFICATION, at=ANY)
    assert before <= wake.at <= before + timedelta(minutes=1)


def test_many_notifications_in_one_call_wake_it_once() -> None:
    assert call("graph_notifications", said(*[item() for _ in range(100)])).reasons == [WakeReason.NOTIFICATION]


FORGED = [
    item("wrong"),
    item(""),
    item(None),
    item(12),
    item([OURS]),
    item(OURS.upper()),
    item(f"{OURS} "),
    item("\ud800"),
    item(client_state(KEY, "other@larch.example")),
    item(client_state("", MAILBOX)),
    {},
    [],
    None,
    OURS,
]


@BOTH
@pytest.mark.parametrize("forged", FORGED, ids=repr)
def test_a_forged_notification_changes_nothing_and_gets_the_same_answer(name: str, forged: object) -> None:
    if isinstance(forged, dict):
        forged = {**forged, "lifecycleEvent": "missed"}

    answer = call(name, said(forged))

    genuine = call(name, said(item(lifecycleEvent="missed")))
    assert len(genuine.queued) == 1
    assert answer.queued == []
    assert (answer.status, answer.body, answer.headers) == (genuine.status, genuine.body, genuine.headers)


def test_a_forged_item_does_not_hold_up_the_genuine_ones_beside_it_and_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO):
        answer = call("graph_notifications", said(item("wrong"), item(), item("wrong")))

    assert answer.reasons == [WakeReason.NOTIFICATION]
    [record] = [record for record in caplog.records if record.message == "graph called"]
    assert (record.levelname, vars(record)["genuine"], vars(record)["forged"]) == ("WARNING", 1, 2)
    assert OURS not in caplog.text


@pytest.mark.parametrize(
    "events,reasons",
    [
        (["reauthorizationRequired"], [WakeReason.LIFECYCLE_REAUTHORIZE]),
        (["subscriptionRemoved"], [WakeReason.LIFECYCLE_REMOVED]),
        (["missed"], [WakeReason.LIFECYCLE_MISSED]),
        (["missed", "missed", "somethingNew", "missed"], [WakeReason.LIFECYCLE_MISSED]),
        (["missed", "reauthorizationRequired"], [WakeReason.LIFECYCLE_REAUTHORIZE, WakeReason.LIFECYCLE_MISSED]),
    ],
)
def test_each_kind_of_lifecycle_event_wakes_the_reader_once(events: list[str], reasons: list[WakeReason]) -> None:
    answer = call("graph_lifecycle", said(*[item(lifecycleEvent=event) for event in events]))

    assert (answer.status, answer.reasons) == (202, reasons)


@pytest.mark.parametrize("event", ["somethingNew", None, 7, ["missed"], {}], ids=repr)
def test_a_lifecycle_event_that_we_do_not_know_wakes_nobody(event: object) -> None:
    answer = call("graph_lifecycle", said(item(lifecycleEvent=event)))

    assert (answer.status, answer.queued) == (202, [])


@BOTH
@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"\xff\xfe\x00", b"[]", b"null", b"{}", b'{"value": {}}', b'{"value": null}', b"[" * 100_000],
    ids=lambda body: repr(body[:12]),
)
def test_what_graph_would_not_send_is_refused(name: str, body: bytes) -> None:
    answer = call(name, body)

    assert (answer.status, answer.queued) == (400, [])


@BOTH
def test_a_body_that_is_too_large_is_refused_unread(name: str) -> None:
    largest = said(item(lifecycleEvent="missed")).ljust(LARGEST_BODY)

    assert call(name, largest).status == 202
    answer = call(name, largest + b" ")
    assert (answer.status, answer.queued) == (413, [])


@BOTH
@pytest.mark.parametrize("unset", ["GRAPH_MAILBOX", "APP_SECRET_KEY"])
@pytest.mark.parametrize("state", ["", client_state("", MAILBOX), client_state(KEY, ""), OURS])
def test_without_a_mailbox_or_a_key_nothing_is_genuine(
    name: str, unset: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(unset)
    of_the_app.cache_clear()

    answer = call(name, said(item(state, lifecycleEvent="missed")))

    assert (answer.status, answer.queued) == (202, [])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
LIKE_ITEMS = st.dictionaries(
    st.sampled_from(["clientState", "lifecycleEvent", "subscriptionId", "value"]),
    JSON | st.sampled_from(["missed", OURS[:-1], OURS.upper()]),
)
BODIES = st.one_of(
    st.binary(),
    JSON.map(lambda facts: json.dumps(facts).encode()),
    st.lists(LIKE_ITEMS | JSON).map(lambda items: said(*items)),
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(sorted(DECORATED)), BODIES)
def test_whatever_is_sent_without_the_secret_is_answered_and_wakes_nobody(name: str, body: bytes) -> None:
    answer = call(name, body)

    assert answer.status in {202, 400}
    assert answer.queued == []


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(LIKE_ITEMS | JSON, max_size=5), st.data())
def test_among_whatever_is_sent_a_genuine_notification_wakes_the_reader(items: list[Any], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(items)))

    answer = call("graph_notifications", said(*items[:place], item(), *items[place:]))

    assert (answer.status, len(answer.queued)) == (202, 1)
