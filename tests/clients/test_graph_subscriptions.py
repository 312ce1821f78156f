"""Subscriptions, up to the addresses that Graph validates."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.clients.errors import NotAllowed, NotFound, Refused
from shared.clients.graph import GraphClient
from shared.clients.graph_mailbox import Subscription
from tests.clients.conftest import NOON
from tests.fake_graph import FakeGraph, Fault
from tests.fake_graph.webhook import Webhook


def subscribe(mailbox: GraphClient, webhook: Webhook, *, days: int = 6) -> Subscription:
    return mailbox.subscribe(
        "inbox",
        notify=f"{webhook.url}/notifications",
        lifecycle=f"{webhook.url}/lifecycle",
        secret="s3cret",
        until=NOON + timedelta(days=days),
    )


def test_a_subscription_tells_of_new_mails_by_immutable_ids(
    fake: FakeGraph, mailbox: GraphClient, webhook: Webhook
) -> None:
    made = subscribe(mailbox, webhook)
    message = fake.deliver()
    fake.notify(message)

    (told,) = webhook.told
    assert made.expires_at == NOON + timedelta(days=6)
    assert sorted(webhook.paths) == ["/lifecycle", "/notifications", "/notifications"]
    assert told["resourceData"]["id"] == message.immutable_id
    assert (told["subscriptionId"], told["clientState"]) == (made.subscription_id, "s3cret")


def test_no_more_than_a_week_is_asked_for(mailbox: GraphClient, webhook: Webhook) -> None:
    made = subscribe(mailbox, webhook, days=30)

    assert made.expires_at == NOON + timedelta(minutes=10_070)


def test_where_a_week_is_too_long_three_days_are_asked_for(
    fake: FakeGraph, mailbox: GraphClient, webhook: Webhook
) -> None:
    fake.graph.subscriptions.most = timedelta(minutes=4_230)

    made = subscribe(mailbox, webhook)
    renewed = mailbox.renew(made.subscription_id, NOON + timedelta(days=6))

    assert made.expires_at == renewed.expires_at == NOON + timedelta(minutes=4_230)


def test_an_address_that_does_not_answer_is_refused_once(
    fake: FakeGraph, mailbox: GraphClient, webhook: Webhook
) -> None:
    webhook.echoes = False

    with pytest.raises(Refused, match="ValidationError"):
        subscribe(mailbox, webhook)

    assert len(fake.calls) == 1


def test_refused_subscriptions_are_told_as_not_allowed(fake: FakeGraph, mailbox: GraphClient, webhook: Webhook) -> None:
    fake.refuse_subscriptions()

    with pytest.raises(NotAllowed):
        subscribe(mailbox, webhook)


def test_a_subscription_whose_making_was_not_heard_of_is_made_anew(
    fake: FakeGraph, mailbox: GraphClient, webhook: Webhook
) -> None:
    fake.faults.add(replace(Fault.cut(on="subscriptions"), method="POST"))

    made = subscribe(mailbox, webhook)

    assert [each.id for each in fake.subscriptions()] == [made.subscription_id]


def test_a_subscription_of_somebody_else_is_left_alone(fake: FakeGraph, mailbox: GraphClient, webhook: Webhook) -> None:
    made = subscribe(mailbox, webhook)
    with Webhook() as other, pytest.raises(Refused, match="409"):
        subscribe(mailbox, other)

    assert [each.id for each in fake.subscriptions()] == [made.subscription_id]


def test_subscriptions_are_renewed_listed_and_ended(fake: FakeGraph, mailbox: GraphClient, webhook: Webhook) -> None:
    made = subscribe(mailbox, webhook, days=2)

    renewed = mailbox.renew(made.subscription_id, NOON + timedelta(days=5))

    assert list(mailbox.subscriptions()) == [renewed]
    assert renewed == replace(made, expires_at=NOON + timedelta(days=5))
    mailbox.unsubscribe(made.subscription_id)
    mailbox.unsubscribe(made.subscription_id)
    assert fake.subscriptions() == []
    with pytest.raises(NotFound):
        mailbox.renew(made.subscription_id, NOON + timedelta(days=5))


def test_subscriptions_on_other_mailboxes_are_not_listed(
    fake: FakeGraph, mailbox: GraphClient, webhook: Webhook
) -> None:
    subscribe(mailbox, webhook)
    fake.subscriptions()[0].resource = "users/other@msp.example/mailFolders/inbox/messages"

    assert list(mailbox.subscriptions()) == []
