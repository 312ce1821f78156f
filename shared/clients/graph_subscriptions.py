"""Graph's promises to notify us of new mails."""

import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from shared.clients import graph_asks as asks
from shared.clients.errors import NotFound, Refused
from shared.clients.graph_answers import SubscriptionAnswer, checked
from shared.clients.graph_asks import Ask
from shared.clients.graph_line import GraphLine
from shared.clients.graph_mailbox import Subscription
from shared.clients.graph_pages import items

log = logging.getLogger(__name__)

LONGEST = timedelta(minutes=10_070)  # ten minutes below the limit, for clocks that differ
FORMER_LONGEST = timedelta(minutes=4_230)  # some tenants still hold to it


def subscribe(
    line: GraphLine, resource: str, *, notify: str, lifecycle: str, secret: str, until: datetime
) -> Subscription:
    def ask(expires_at: datetime) -> Ask:
        return asks.create_subscription(
            {
                "changeType": "created",
                "resource": resource,
                "notificationUrl": notify,
                "lifecycleNotificationUrl": lifecycle,
                "clientState": secret,
                "expirationDateTime": asks.instant(expires_at),
            }
        )

    try:
        return _lasting(line, ask, until)
    except Refused as problem:
        if problem.status != 409 or not _forget(line, resource, notify):
            raise
    return _lasting(line, ask, until)


def renew(line: GraphLine, subscription_id: str, until: datetime) -> Subscription:
    return _lasting(line, lambda moment: asks.renew_subscription(subscription_id, moment), until)


def unsubscribe(line: GraphLine, subscription_id: str) -> None:
    try:
        line.call(asks.delete_subscription(subscription_id))
    except NotFound:
        log.info("a subscription had ended already", extra={"subscription_id": subscription_id})


def subscriptions(line: GraphLine, address: str) -> Iterable[Subscription]:
    return [_made(each) for each in _answers(line) if f"users/{address}/" in each.resource.lower()]


def _lasting(line: GraphLine, ask: Callable[[datetime], Ask], until: datetime) -> Subscription:
    """Ask for the longest time that Graph grants, up to `until`."""
    now = line.now()
    wanted = min(until, now + LONGEST)
    try:
        return _made(checked(SubscriptionAnswer, line.call(ask(wanted))))
    except Refused as problem:
        # An address of ours that did not answer its validation is refused with 400 too.
        if problem.status != 400 or problem.code == "ValidationError" or wanted <= now + FORMER_LONGEST:
            raise
    return _made(checked(SubscriptionAnswer, line.call(ask(now + FORMER_LONGEST))))


def _forget(line: GraphLine, resource: str, notify: str) -> bool:
    """End our own subscription on the resource: its creation was repeated because the answer got lost."""
    ours = [
        each for each in _answers(line) if (each.resource.lower(), each.notification_url) == (resource.lower(), notify)
    ]
    for each in ours:
        unsubscribe(line, each.id)
    return bool(ours)


def _answers(line: GraphLine) -> list[SubscriptionAnswer]:
    return list(items(line, asks.subscriptions(), SubscriptionAnswer))


def _made(answer: SubscriptionAnswer) -> Subscription:
    return Subscription(subscription_id=answer.id, resource=answer.resource, expires_at=answer.expires_at)
