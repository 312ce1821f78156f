"""Who is refused for who he is stops at once and tells a person; whose request is refused goes on."""

from dataclasses import replace

import pytest

from shared.clients.autotask import AutotaskTickets
from shared.clients.autotask_breaker import InMemoryBreaker
from shared.clients.autotask_line import Ask
from shared.clients.autotask_wire import CallRecord
from shared.clients.errors import (
    BadCredentials,
    BreakerOpen,
    InvalidData,
    Throttled,
    UnknownIntegrationCode,
    UnknownUser,
    Upstream,
)
from tests.clients.conftest import CREDENTIALS, look, way_to
from tests.fake_autotask import USER, FakeAutotask, Fault

NO_USER, NO_CODE = "Zone information could not be determined", "IntegrationCode is invalid."


def test_a_code_that_autotask_does_not_know_stops_everything(
    tenant: FakeAutotask, psa: AutotaskTickets, breaker: InMemoryBreaker
) -> None:
    tenant.world.codes.clear()

    with pytest.raises(UnknownIntegrationCode):
        look(psa)
    with pytest.raises(BreakerOpen):
        look(psa)

    assert [call.path for call in tenant.signed_calls] == ["Companies/query", "ThresholdInformation"]
    assert breaker.why == "Autotask does not know the integration code"


def test_a_user_that_autotask_does_not_know_stops_everything_before_a_secret_is_sent(
    tenant: FakeAutotask, psa: AutotaskTickets, breaker: InMemoryBreaker
) -> None:
    del tenant.world.users[USER]

    with pytest.raises(UnknownUser):
        look(psa)
    with pytest.raises(BreakerOpen):
        look(psa)

    assert (len(tenant.calls), tenant.signed_calls) == (2, [])
    assert breaker.why == "Autotask knows no such user"


def test_a_user_that_is_gone_since_his_zone_was_found_stops_everything(
    tenant: FakeAutotask, psa: AutotaskTickets, breaker: InMemoryBreaker
) -> None:
    look(psa)
    del tenant.world.users[USER]

    with pytest.raises(UnknownUser):
        look(psa)

    assert breaker.is_open()


@pytest.mark.parametrize(
    "fault, kind",
    [(Fault.of(500, NO_USER, on="Zone"), UnknownUser), (Fault.of(500, NO_USER, on="query"), UnknownUser),
     (Fault.of(500, NO_CODE, on="query", times=None), UnknownIntegrationCode)],
    ids=["no zone for a moment", "no user for a moment", "a request that names the code"],
)  # fmt: skip
def test_what_is_not_said_again_stops_nothing(
    tenant: FakeAutotask, psa: AutotaskTickets, breaker: InMemoryBreaker, fault: Fault, kind: type[Upstream]
) -> None:
    tenant.plan(fault)

    with pytest.raises(kind):
        look(psa)
    tenant.faults.clear()

    assert not breaker.is_open()
    assert look(psa)


@pytest.mark.parametrize(
    "fault, kind",
    [(Fault.of(500, "Picklist value [3] does not exist for priority."), InvalidData),
     (Fault.of(500, "The request threshold of this integration code has been exceeded."), Throttled),
     (Fault.of(500), Upstream), (Fault.of(403), Upstream), (Fault.of(503), Upstream)],
    ids=["data", "too many", "no reason", "no right", "out of order"],
)  # fmt: skip
def test_other_refusals_stop_nothing(
    tenant: FakeAutotask, psa: AutotaskTickets, breaker: InMemoryBreaker, fault: Fault, kind: type[Upstream]
) -> None:
    tenant.plan(fault.at(r"V1.0/(?!Zone)", times=None))

    with pytest.raises(kind):
        look(psa)
    with pytest.raises(kind):
        psa.usage()

    assert not breaker.is_open()


def test_credentials_that_can_not_be_sent_stop_everything(
    tenant: FakeAutotask, naps: list[float], breaker: InMemoryBreaker, records: list[CallRecord]
) -> None:
    credentials = replace(CREDENTIALS, integration_code="a\r\nb")
    with way_to(tenant.url, naps, breaker, records, credentials=credentials) as line, pytest.raises(BadCredentials):
        line.call(Ask(method="GET", path="Companies/0"))

    assert breaker.is_open()
    assert tenant.signed_calls == []
