"""Where Autotask is found, and that nobody else gets our secrets."""

from datetime import timedelta

import pytest

from shared.clients.autotask import AutotaskTickets
from shared.clients.autotask_breaker import InMemoryBreaker
from shared.clients.autotask_connection import Connection
from shared.clients.autotask_line import AutotaskLine
from shared.clients.autotask_tickets import Conventions
from shared.clients.autotask_wire import Wire
from shared.clients.autotask_zone import Zones
from shared.clients.errors import (
    BadAnswer,
    BreakerOpen,
    Refused,
    Unavailable,
    UnknownUser,
    WrongSecret,
)
from shared.clients.patience import Patience
from tests.clients.conftest import CREDENTIALS, NOON, look
from tests.fake_autotask import USER, Effect, FakeAutotask, Fault

IN_TEN_SECONDS = "Mon, 02 Mar 2026 12:00:10 GMT"
NOT_ZONE = r"V1.0/(?!Zone)"


def test_an_unknown_user_is_told_before_any_secret_is_sent(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    del tenant.world.users[USER]

    with pytest.raises(UnknownUser):
        look(psa)

    assert tenant.signed_calls == []


def test_a_refused_sign_in_stops_everything(
    tenant: FakeAutotask, psa: AutotaskTickets, breaker: InMemoryBreaker, naps: list[float]
) -> None:
    tenant.user.secret = "else"

    with pytest.raises(WrongSecret):
        look(psa)
    for _ in range(5):
        with pytest.raises(BreakerOpen):
            look(psa)

    assert (len(tenant.signed_calls), naps) == (1, [])
    assert breaker.is_open()
    assert not tenant.user.is_locked


def test_a_closed_breaker_lets_calls_through_again(
    tenant: FakeAutotask, psa: AutotaskTickets, breaker: InMemoryBreaker
) -> None:
    breaker.open("for a test")
    breaker.close()

    assert look(psa)


def test_a_tenant_that_moved_is_followed_once(
    tenant: FakeAutotask, psa: AutotaskTickets, breaker: InMemoryBreaker
) -> None:
    with FakeAutotask(world=tenant.world) as elsewhere:
        assert look(psa)
        tenant.move_tenant_to(elsewhere)

        assert look(psa)

        assert len(tenant.signed_calls) == 2
        assert len(elsewhere.signed_calls) == 1
        assert look(psa)
        assert len(tenant.signed_calls) == 2
    assert not breaker.is_open()


def test_a_tenant_that_moved_and_refuses_us_there_stops_everything(
    tenant: FakeAutotask, psa: AutotaskTickets, breaker: InMemoryBreaker
) -> None:
    with FakeAutotask(world=tenant.world) as elsewhere:
        look(psa)
        tenant.move_tenant_to(elsewhere)
        tenant.user.secret = "else"

        with pytest.raises(WrongSecret):
            look(psa)

        assert (len(tenant.signed_calls), len(elsewhere.signed_calls)) == (2, 1)
    assert breaker.is_open()


def test_while_the_zone_can_not_be_found_again_no_secret_is_sent(
    tenant: FakeAutotask, psa: AutotaskTickets, breaker: InMemoryBreaker
) -> None:
    look(psa)
    tenant.user.secret = "else"
    tenant.plan(Fault.of(503, on="Zone", times=None))

    for _ in range(3):
        with pytest.raises(Unavailable):
            look(psa)

    assert len(tenant.signed_calls) == 2
    assert not breaker.is_open()


def test_the_zone_is_asked_for_once(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    for _ in range(3):
        look(psa)

    assert len(tenant.calls_to("ZoneInformation")) == 1


def test_after_half_a_day_the_zone_is_asked_for_again(tenant: FakeAutotask) -> None:
    moments = [NOON]
    connection = Connection(tenant.url, CREDENTIALS, now=lambda: moments[-1])
    psa = AutotaskTickets(AutotaskLine(connection, breaker=InMemoryBreaker()), Conventions())

    for later in (timedelta(), timedelta(hours=11, minutes=59), timedelta(hours=12)):
        moments.append(NOON + later)
        look(psa)

    assert len(tenant.calls_to("ZoneInformation")) == 2
    connection.close()


def test_who_is_unknown_to_the_first_host_may_be_known_to_the_second(tenant: FakeAutotask) -> None:
    with FakeAutotask() as first:
        first.world.users.clear()
        wire = Wire(Patience(), now=lambda: NOON)
        zones = Zones((first.url, tenant.url), username=USER, wire=wire, now=lambda: NOON)

        assert zones.current(lambda record: None).url == f"{tenant.url}/ATServicesRest/"
    wire.close()


@pytest.mark.parametrize(
    "root",
    ["https://webservices.autotask.net.attacker.example", "http://10.0.0.1", "http://127.0.0.1@attacker.example",
     "ftp://127.0.0.1", "http://[", "http://127.0.0.1/elsewhere"],
)  # fmt: skip
def test_a_zone_on_another_host_gets_no_secret(tenant: FakeAutotask, psa: AutotaskTickets, root: str) -> None:
    tenant.send_zone_to(root)

    with pytest.raises(BadAnswer, match="zone"):
        look(psa)

    assert tenant.signed_calls == []


def test_a_redirect_is_not_followed(tenant: FakeAutotask, psa: AutotaskTickets) -> None:
    with FakeAutotask() as elsewhere:
        tenant.plan(Fault(effect=Effect.REDIRECT, to=elsewhere.url).at(NOT_ZONE))

        with pytest.raises(Refused, match="redirect"):
            look(psa)

        assert elsewhere.calls == []
