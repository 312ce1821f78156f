"""Single mails, and moves of many."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from shared.clients.errors import BadAnswer, NotFound, Throttled, Unavailable
from shared.clients.graph import GraphClient
from tests.clients.conftest import Waits
from tests.fake_graph import FakeGraph, Fault


def test_a_message_comes_as_a_page_would_give_it(fake: FakeGraph, mailbox: GraphClient) -> None:
    message = fake.deliver(subject="Nightly")

    arrived = mailbox.message(message.immutable_id)

    assert (arrived.graph_id, arrived.received_at) == (message.immutable_id, message.received_at)
    assert b'"subject": "Nightly"' in arrived.content


def test_a_message_that_is_gone_is_not_found(fake: FakeGraph, mailbox: GraphClient) -> None:
    message = fake.deliver()
    fake.delete(message)

    with pytest.raises(NotFound):
        mailbox.message(message.immutable_id)


def test_a_message_without_a_date_makes_no_sense(fake: FakeGraph, mailbox: GraphClient) -> None:
    message = fake.deliver()
    message.fields["receivedDateTime"] = None

    with pytest.raises(BadAnswer):
        mailbox.message(message.immutable_id)


def test_whole_mails_come_as_they_were_delivered(fake: FakeGraph, mailbox: GraphClient) -> None:
    made = [fake.deliver() for _ in range(9)]
    gone = fake.deliver()
    fake.delete(gone)

    fetched = dict(mailbox.mime([each.immutable_id for each in [*made, gone]]))

    assert fetched == {**{each.immutable_id: each.mime for each in made}, gone.immutable_id: None}


def test_a_mail_that_cannot_be_fetched_does_not_stop_the_others(fake: FakeGraph, mailbox: GraphClient) -> None:
    made = [fake.deliver().immutable_id for _ in range(6)]
    fake.faults.add(Fault.of(500, on=made[1].replace("=", "%3D"), times=None))
    fetched = []

    with pytest.raises(Unavailable):
        fetched.extend(graph_id for graph_id, _ in mailbox.mime(made))

    assert set(fetched) == set(made) - {made[1]}


def test_many_mails_that_cannot_be_fetched_end_the_series(fake: FakeGraph, mailbox: GraphClient) -> None:
    made = [fake.deliver().immutable_id for _ in range(20)]
    fake.faults.add(Fault.of(500, on="$value", times=None))

    with pytest.raises(Unavailable):
        list(mailbox.mime(made))

    assert len(fake.calls) <= 7 * 4


def test_a_throttled_series_ends_at_once(fake: FakeGraph, mailbox: GraphClient) -> None:
    made = [fake.deliver().immutable_id for _ in range(20)]
    fake.faults.add(Fault.throttle("300", times=None))

    with pytest.raises(Throttled):
        list(mailbox.mime(made))

    assert len(fake.calls) <= 8


def test_mails_move_by_the_twenty_and_keep_their_ids(fake: FakeGraph, mailbox: GraphClient) -> None:
    made = [fake.deliver().immutable_id for _ in range(45)]
    folder = mailbox.ensure_folder("Done")
    before = mailbox.requests

    assert mailbox.move(made, folder) == {}
    assert mailbox.requests - before == 3
    assert {each.immutable_id for each in fake.messages("Done")} == set(made)
    assert mailbox.move(made, folder) == {}  # again: harmless


def test_nothing_to_move_asks_nothing(fake: FakeGraph, mailbox: GraphClient) -> None:
    assert mailbox.move([], "anywhere") == {}
    assert fake.calls == []


def test_a_mail_that_is_gone_counts_as_moved(fake: FakeGraph, mailbox: GraphClient) -> None:
    gone, there = fake.deliver(), fake.deliver()
    folder = mailbox.ensure_folder("Done")
    fake.delete(gone)

    assert mailbox.move([gone.immutable_id, there.immutable_id], folder) == {}
    assert fake.messages("Done") == [there]


def test_a_folder_that_is_gone_is_no_mail_that_has_moved(fake: FakeGraph, mailbox: GraphClient) -> None:
    message = fake.deliver()

    with pytest.raises(NotFound, match="folder to move"):
        mailbox.move([message.immutable_id], "AAMkNoSuchFolder=")


@pytest.mark.parametrize("fault", [Fault.throttle("9"), Fault.of(503), Fault.throttle(None)])
def test_parts_that_were_put_off_are_sent_again(
    fake: FakeGraph, mailbox: GraphClient, waits: Waits, fault: Fault
) -> None:
    made = [fake.deliver().immutable_id for _ in range(5)]
    folder = mailbox.ensure_folder("Done")
    fake.faults.add(*[fault.within_batches()] * 3)

    assert mailbox.move(made, folder) == {}
    assert len(fake.messages("Done")) == 5
    assert [len(waits), len(fake.calls_to("$batch"))] == [1, 2]
    assert waits[0] == 9 or fault.headers == ()


def test_a_part_that_stays_put_off_gets_a_reason(fake: FakeGraph, mailbox: GraphClient) -> None:
    made = [fake.deliver().immutable_id for _ in range(3)]
    folder = mailbox.ensure_folder("Done")
    fake.faults.add(replace(Fault.throttle("2", times=None), on=made[0].replace("=", "%3D"), inner=True))

    assert mailbox.move(made, folder) == {made[0]: "Microsoft Graph answered 429 (TooManyRequests)"}
    assert len(fake.messages("Done")) == 2


def test_a_refused_part_gets_a_reason_and_is_not_sent_again(fake: FakeGraph, mailbox: GraphClient) -> None:
    message = fake.deliver()
    folder = mailbox.ensure_folder("Done")
    fake.graph.may_write = False

    reasons = mailbox.move([message.immutable_id], folder)

    assert reasons == {message.immutable_id: "Microsoft Graph answered 403 (ErrorAccessDenied)"}
    assert len(fake.calls_to("$batch")) == 1


@pytest.mark.parametrize("fault", [Fault.cut, lambda on: replace(Fault.of(504, on=on), late=True)])
def test_a_batch_whose_answer_is_lost_is_sent_again(
    fake: FakeGraph, mailbox: GraphClient, fault: Callable[..., Fault]
) -> None:
    message = fake.deliver()
    folder = mailbox.ensure_folder("Done")
    fake.faults.add(fault(on="$batch"))

    assert mailbox.move([message.immutable_id], folder) == {}
    assert fake.messages("Done") == [message]


def test_batches_that_moved_are_not_lost_when_a_later_one_fails(fake: FakeGraph, mailbox: GraphClient) -> None:
    made = [fake.deliver().immutable_id for _ in range(30)]
    folder = mailbox.ensure_folder("Done")
    calls = iter(range(10))
    take = fake.faults.take

    def second_batch_fails(request):
        is_batch = request.path == "/$batch"
        return Fault.throttle("600") if is_batch and next(calls) > 0 else take(request)

    fake.faults.take = second_batch_fails  # type: ignore[method-assign]

    reasons = mailbox.move(made, folder)

    assert reasons.keys() == set(made[20:])
    assert len(fake.messages("Done")) == 20
