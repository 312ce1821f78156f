"""What the timer and the queue do about the ticketing system, and when they leave it alone."""

from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, update

from shared.clients import autotask
from shared.clients.autotask_connection import Connection
from shared.clients.errors import WritesBlocked
from shared.clients.queue_memory import MemoryQueues
from shared.db.session import transaction
from shared.domain.queue_message import BadMessage, Queue, TicketTask, TicketWork
from shared.domain.ticket import ErrandState, MappingState, TicketSource
from shared.domain.ticketing import Pace, Usage
from shared.models.customers import Customer
from shared.models.system import SystemSettings
from shared.models.ticketing import TicketingCall, TicketingChoice, TicketingState
from shared.services.provider import open_provider
from shared.services.record_call import KEPT, record_call
from shared.services.tick_autotask_sync import tick_autotask_sync
from shared.services.tick_watchdog import tick_watchdog
from shared.services.ticket_work import handle_ticket_work
from shared.services.ticketing_breaker import DatabaseBreaker, open_breaker
from shared.services.ticketing_state import keep_usage, pace_of
from shared.settings import Settings, settings
from tests.fake_autotask import CODE, SECRET, USER, Fault
from tests.services.ticket_world import TicketWorld

NOT_ZONE = r"V1.0/(?!Zone)"


def tick(world: TicketWorld) -> list[TicketTask]:
    """Tick, and return what is asked for; it is not done."""
    queues = MemoryQueues()
    tick_autotask_sync(queues, clock=world.clock)
    tasks = []
    while (taken := queues.take(Queue.TICKET_ERRANDS.value)) is not None:
        tasks.append(TicketWork.from_json(taken.body).task)
        queues.remove(taken)
    return tasks


def work(world: TicketWorld, task: TicketTask) -> dict[str, int]:
    return handle_ticket_work(TicketWork(task=task).to_json(), MemoryQueues(), clock=world.clock)


def do_what_is_due(world: TicketWorld) -> None:
    for task in tick(world):
        work(world, task)


def use(world: TicketWorld, used: int) -> None:
    """Let all applications of the tenant have made so many requests in the last hour."""
    with world.fake.world.lock:
        world.fake.world.used = used


def polls(world: TicketWorld) -> int:
    return len(world.fake.calls_to("Tickets/query"))


def test_from_a_failed_run_to_its_ticket_and_back(installed: TicketWorld) -> None:
    job_id = installed.job()
    ticket_id = installed.ticket(installed.run(job_id).id)

    do_what_is_due(installed)
    installed.fake.close_ticket(installed.remote(ticket_id))
    installed.later(minutes=15)
    do_what_is_due(installed)

    assert installed.errand(ticket_id).state is ErrandState.DONE
    assert installed.stored(ticket_id).resolved_at is not None


def test_tickets_are_polled_as_often_as_the_settings_say(installed: TicketWorld) -> None:
    installed.set(poll_minutes=15)
    asked = []
    for _ in range(7):
        tasks = tick(installed)
        asked.append(TicketTask.POLL in tasks)
        for task in tasks:
            work(installed, task)
        installed.later(minutes=5)

    assert asked == [True, False, False, True, False, False, True]


def test_near_the_hours_limit_polling_rests_and_a_persons_ticket_is_made(installed: TicketWorld) -> None:
    installed.made(installed.run(installed.job()).id)
    use(installed, 9_200)
    do_what_is_due(installed)
    before = polls(installed)
    for _ in range(12):
        installed.later(minutes=5)
        do_what_is_due(installed)
    paused = polls(installed) - before
    installed.ticket(installed.run(installed.job()).id)
    do_what_is_due(installed)
    use(installed, 100)
    installed.later(minutes=15)
    do_what_is_due(installed)

    assert (before, paused, len(installed.fake.tickets)) == (0, 0, 2)
    assert polls(installed) == 1
    assert len(installed.fake.calls_to("ThresholdInformation")) <= 7  # not oftener than every quarter of an hour


def test_with_three_quarters_used_polling_is_four_times_as_slow(installed: TicketWorld) -> None:
    installed.made(installed.run(installed.job()).id)
    use(installed, 8_000)
    do_what_is_due(installed)
    first = polls(installed)
    for _ in range(11):
        installed.later(minutes=5)
        do_what_is_due(installed)
    within_the_hour = polls(installed)
    installed.later(minutes=5)
    do_what_is_due(installed)

    assert (first, within_the_hour, polls(installed)) == (1, 1, 2)


def test_where_tickets_are_kept_by_hand_nothing_is_asked_for(installed: TicketWorld) -> None:
    installed.set(provider=TicketSource.MANUAL)
    installed.ticket(installed.run(installed.job()).id)

    assert tick(installed) == []
    assert [work(installed, task) for task in TicketTask] == [{}] * len(TicketTask)
    assert installed.fake.calls == []


def test_without_credentials_errands_wait(installed: TicketWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUTOTASK_BASE_URL", "https://webservices.autotask.net")
    monkeypatch.setenv("AUTOTASK_SECRET", "")
    settings.cache_clear()
    ticket_id = installed.ticket(installed.run(installed.job()).id)

    assert work(installed, TicketTask.SEND) == {}
    assert installed.errand(ticket_id).state is ErrandState.WAITING


def test_a_sandbox_reads_and_writes_nothing(installed: TicketWorld) -> None:
    closed = installed.made(installed.run(installed.job()).id)
    installed.fake.close_ticket(installed.remote(closed))
    installed.later(minutes=15)
    installed.db.execute(update(SystemSettings).values(is_sandbox=True))
    installed.db.commit()
    waiting = installed.ticket(installed.run(installed.job()).id)

    do_what_is_due(installed)
    with transaction() as db:
        provider = open_provider(db, settings())
    with pytest.raises(WritesBlocked):
        provider.resolve("1", "")

    assert (len(installed.fake.tickets), installed.errand(waiting).attempts) == (1, 0)
    assert installed.stored(closed).resolved_at is not None


def test_once_a_day_the_choices_and_companies_are_looked_at(installed: TicketWorld) -> None:
    customer_id = installed.customer("Cedar Notaries")
    company_id = installed.db.get_one(Customer, customer_id).autotask_company_id
    assert company_id is not None
    for _ in range(3):
        do_what_is_due(installed)
        installed.later(minutes=15)
    first = len(installed.fake.calls_to("Tickets/entityInformation/fields"))
    installed.fake.change_company(company_id, isActive=False)
    installed.later(days=1)
    do_what_is_due(installed)

    assert (first, len(installed.fake.calls_to("Tickets/entityInformation/fields"))) == (1, 2)
    assert installed.db.scalar(select(TicketingChoice.label).where(TicketingChoice.choice_id == "29682833")) == "Backup"
    customer = installed.db.get_one(Customer, customer_id, populate_existing=True)
    assert customer.autotask_mapping is MappingState.INVALID


def test_choices_are_fetched_anew_at_the_tick_after_autotask_refused_one(installed: TicketWorld) -> None:
    do_what_is_due(installed)
    installed.later(minutes=5)
    unknown = "Picklist value [1] does not exist for priority."
    installed.fake.plan(Fault.of(500, unknown, on="Tickets$", method="POST"))
    ticket_id = installed.ticket(installed.run(installed.job()).id)
    do_what_is_due(installed)
    fetched = []
    for _ in range(3):
        fetched.append(len(installed.fake.calls_to("Tickets/entityInformation/fields")))
        installed.later(minutes=5)
        do_what_is_due(installed)

    assert installed.errand(ticket_id).state is ErrandState.FAILED
    assert fetched == [1, 2, 2]
    assert installed.state().choices_at == installed.now - timedelta(minutes=10)


@pytest.fixture
def patient(installed: TicketWorld, monkeypatch: pytest.MonkeyPatch) -> TicketWorld:
    """Nobody waits between two attempts."""
    monkeypatch.setattr(autotask, "Connection", partial(Connection, sleep=installed.naps.append))
    return installed


@pytest.mark.parametrize("on", [NOT_ZONE, "V1.0/Tickets", "V1.0/Threshold"])
@pytest.mark.parametrize("poll_minutes", [5, 15])
def test_while_we_are_told_to_wait_we_ask_little_and_send_what_a_person_waits_for(
    patient: TicketWorld, on: str, poll_minutes: int
) -> None:
    patient.set(poll_minutes=poll_minutes)
    patient.made(patient.run(patient.job()).id)
    before = len(patient.fake.signed_calls)
    patient.fake.plan(Fault.throttle(None, on=on, times=None))
    for _ in range(12):
        patient.later(minutes=5)
        do_what_is_due(patient)
    asked = len(patient.fake.signed_calls) - before
    patient.fake.faults.clear()
    patient.ticket(patient.run(patient.job()).id)
    do_what_is_due(patient)

    assert asked <= 50
    assert len(patient.fake.tickets) == 2


def test_told_to_wait_polling_pauses_until_we_know_more(patient: TicketWorld) -> None:
    patient.made(patient.run(patient.job()).id)
    patient.fake.plan(Fault.throttle("600", on="Threshold"))
    do_what_is_due(patient)
    with transaction() as db:
        pace = pace_of(db, now=patient.now)
    for _ in range(2):
        patient.later(minutes=5)
        do_what_is_due(patient)
    paused = polls(patient)
    patient.later(minutes=5)
    do_what_is_due(patient)

    assert (pace, paused, polls(patient)) == (Pace.PAUSED, 0, 1)
    assert (patient.state().used is None, patient.state().used_at) == (False, patient.now)


@pytest.mark.parametrize("fault", [Fault.of(503, times=None), Fault.of(500, "Something is wrong.", times=None)])
def test_where_the_hours_use_can_not_be_asked_tickets_are_polled_and_it_is_asked_for_rarely(
    patient: TicketWorld, fault: Fault
) -> None:
    patient.set(poll_minutes=5)
    patient.made(patient.run(patient.job()).id)
    patient.fake.plan(fault.at("Threshold", times=None))
    for _ in range(12):
        do_what_is_due(patient)
        patient.later(minutes=5)

    assert polls(patient) == 12
    assert len(patient.fake.calls_to("ThresholdInformation")) <= 4 * 4


def test_nothing_is_asked_for_while_a_poll_that_went_wrong_rests(patient: TicketWorld) -> None:
    patient.made(patient.run(patient.job()).id)
    patient.fake.plan(Fault.of(503, on="Tickets/query$", times=None))
    do_what_is_due(patient)
    before = len(patient.fake.signed_calls)
    patient.later(minutes=5)

    assert tick(patient) == []
    assert work(patient, TicketTask.POLL) == {}
    assert len(patient.fake.signed_calls) == before


def test_what_was_used_long_ago_holds_nothing_up(tickets: TicketWorld) -> None:
    with transaction() as db:
        keep_usage(db, Usage(used=95, limit=100), now=tickets.now)
    paces = []
    for minutes in (0, 74, 1):
        tickets.later(minutes=minutes)
        with transaction() as db:
            paces.append(pace_of(db, now=tickets.now))

    assert paces == [Pace.PAUSED, Pace.PAUSED, Pace.NORMAL]


def test_a_message_that_nobody_wrote_is_refused(installed: TicketWorld) -> None:
    with pytest.raises(BadMessage):
        handle_ticket_work('{"version": 1, "task": "sing"}', MemoryQueues())


def refused_as(**changed: str) -> Settings:
    facts = {"autotask_username": USER, "autotask_secret": SECRET, "autotask_integration_code": CODE}
    return Settings(secret_key="tests", **(facts | changed))


def test_all_processes_share_the_breaker_and_new_credentials_are_not_held_up_by_it(tickets: TicketWorld) -> None:
    one, other = (DatabaseBreaker(refused_as(), clock=tickets.clock) for _ in range(2))
    renewed = DatabaseBreaker(refused_as(autotask_secret="new"), clock=tickets.clock)

    one.open("refused (401)")
    opened_at = tickets.now
    tickets.later(minutes=5)
    other.open("again")

    assert [each.is_open() for each in (one, other, renewed)] == [True, True, False]
    found = open_breaker(tickets.db, refused_as())
    assert found is not None
    assert (found.opened_at, found.why) == (opened_at, "refused (401)")
    other.close()
    assert not one.is_open()


def test_the_database_holds_no_credentials(tickets: TicketWorld) -> None:
    DatabaseBreaker(refused_as(), clock=tickets.clock).open("refused (401)")

    kept = tickets.db.scalars(select(TicketingState.breaker_credentials)).one()
    assert len(kept) == 64
    assert not any(word in kept for word in (USER, SECRET, CODE))


def test_the_flight_recorder_keeps_the_last_calls(installed: TicketWorld) -> None:
    from shared.clients.autotask_wire import CallRecord

    for number in range(KEPT + 3):
        record_call(
            CallRecord(
                at=installed.now, method="GET", path=f"Tickets/{number}", status=200, took=timedelta(seconds=0.25),
                attempt=1, error="",
            )
        )  # fmt: skip

    calls = installed.db.scalars(select(TicketingCall).order_by(TicketingCall.id)).all()
    assert (len(calls), calls[0].path, calls[0].took_ms) == (KEPT, "Tickets/3", 250)


def watch(world: TicketWorld, ticks: int) -> tuple[int, int]:
    """Let the watchdog tick for a while; return how many alarms began and ended."""
    opened = closed = 0
    for _ in range(ticks):
        world.later(minutes=5)
        counts = tick_watchdog(MemoryQueues(), clock=world.clock)
        opened, closed = opened + counts["opened"], closed + counts["closed"]
    return opened, closed


def test_the_watcher_shouts_once_about_a_refused_sign_in_and_is_calm_when_a_test_worked(
    installed: TicketWorld,
) -> None:
    breaker = DatabaseBreaker(settings(), clock=installed.clock)
    breaker.open("refused (401)")
    opened, _ = watch(installed, 12)
    breaker.close()
    _, closed = watch(installed, 12)

    assert (opened, closed) == (1, 1)


def test_a_breaker_that_opens_ends_the_polls_too(installed: TicketWorld) -> None:
    installed.made(installed.run(installed.job()).id)
    installed.fake.plan(Fault.of(401, on="Tickets/query$", times=None))
    installed.later(minutes=15)
    do_what_is_due(installed)
    refused = len(installed.fake.signed_calls)
    for _ in range(5):
        installed.later(hours=1)
        do_what_is_due(installed)

    assert len(installed.fake.signed_calls) == refused
    assert "refused" in installed.state().poll_error
    installed.fake.faults.clear()
    DatabaseBreaker(settings()).close()
    do_what_is_due(installed)
    assert (installed.state().poll_error, installed.state().polled_at) == ("", installed.now)
