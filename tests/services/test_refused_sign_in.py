"""The ticketing system refuses to know us: nothing is asked any more, and a person is told, once."""

import pytest

from shared.domain.ticket import ErrandState
from shared.services.ticketing_breaker import DatabaseBreaker, open_breaker
from shared.settings import settings
from tests.fake_autotask import Fault
from tests.services.test_ticket_work import NOT_ZONE, do_what_is_due, watch
from tests.services.ticket_world import TicketWorld


@pytest.mark.parametrize(
    "fault, words",
    [(Fault.of(401, on="Tickets/query$", times=None), "refused the user or the secret"),
     (Fault.of(500, "IntegrationCode is invalid.", on=NOT_ZONE, times=None), "does not know the integration code"),
     (Fault.of(500, "Zone information could not be determined", on=NOT_ZONE, times=None), "knows no such user")],
    ids=["secret", "code", "user"],
)  # fmt: skip
def test_a_breaker_that_opens_ends_polls_and_errands_and_is_told_once(
    installed: TicketWorld, fault: Fault, words: str
) -> None:
    installed.made(installed.run(installed.job()).id)
    installed.later(minutes=15)
    waiting = installed.ticket(installed.run(installed.job()).id)
    installed.fake.plan(fault)
    do_what_is_due(installed)
    refused = len(installed.fake.signed_calls)
    for _ in range(5):
        installed.later(hours=1)
        do_what_is_due(installed)

    assert len(installed.fake.signed_calls) == refused
    found = open_breaker(installed.db, settings())
    assert found is not None
    assert words in found.why
    assert watch(installed, 12) == (1, 0)
    installed.fake.faults.clear()
    DatabaseBreaker(settings()).close()
    do_what_is_due(installed)
    assert (installed.state().poll_error, installed.state().polled_at) == ("", installed.now)
    assert installed.errand(waiting).state is ErrandState.DONE
