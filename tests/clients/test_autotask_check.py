"""The connection test tells what is wrong, and is how a person closes the breaker."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from shared.clients import autotask_check
from shared.clients.autotask import open_autotask
from shared.clients.autotask_breaker import InMemoryBreaker
from shared.clients.autotask_check import try_connection
from shared.clients.autotask_connection import NOBODY
from shared.clients.connection_report import State, Step
from shared.settings import BadSetting, Settings, read_settings
from tests.fake_autotask import CODE, SECRET, USER, FakeAutotask, Fault
from tests.fake_autotask.world import User

NAMES = ["User", "Sign-in", "Tickets", "Notes", "Keys", "Companies", "Deleted tickets"]

Tried = Callable[..., dict[str, Step]]


@pytest.fixture
def environment(tenant: FakeAutotask) -> dict[str, str]:
    return {
        "AUTOTASK_BASE_URL": tenant.url,
        "AUTOTASK_USERNAME": USER,
        "AUTOTASK_SECRET": SECRET,
        "AUTOTASK_INTEGRATION_CODE": CODE,
    }


@pytest.fixture
def tried(environment: dict[str, str], breaker: InMemoryBreaker) -> Tried:
    def attempt(**changed: str) -> dict[str, Step]:
        report = try_connection(read_settings(environment | changed), breaker=breaker)
        return {step.name: step for step in report}

    return attempt


def test_a_connection_that_works_is_told_step_by_step(tenant: FakeAutotask, tried: Tried) -> None:
    steps = tried()

    assert list(steps) == NAMES
    assert {step.state for step in steps.values()} == {State.OK}
    assert "Synthetic Zone" in steps["User"].says
    assert "1 of 10,000 requests" in steps["Sign-in"].says
    assert tenant.tickets == []


@pytest.mark.parametrize(
    "changed, failed, variable",
    [
        ("AUTOTASK_USERNAME", "User", "AUTOTASK_USERNAME"),
        ("AUTOTASK_SECRET", "Sign-in", "AUTOTASK_SECRET"),
        ("AUTOTASK_INTEGRATION_CODE", "Sign-in", "AUTOTASK_INTEGRATION_CODE"),
    ],
)
def test_user_secret_and_code_are_told_apart(
    tenant: FakeAutotask, tried: Tried, changed: str, failed: str, variable: str
) -> None:
    steps = tried(**{changed: "wrong@msp.example"})

    assert steps[failed].state is State.FAILED
    assert f"check {variable}" in steps[failed].says
    assert {step.state for name, step in steps.items() if name not in ("User", failed)} == {State.SKIPPED}
    assert len(tenant.signed_calls) == (0 if failed == "User" else 1)


def test_a_code_that_is_refused_in_other_words_is_still_the_code(tenant: FakeAutotask, tried: Tried) -> None:
    tenant.plan(Fault.of(500, "Object reference not set.", on="Threshold"))

    assert "AUTOTASK_INTEGRATION_CODE" in tried()["Sign-in"].says


def test_a_server_that_is_down_is_not_taken_for_a_wrong_code(
    tenant: FakeAutotask, tried: Tried, breaker: InMemoryBreaker
) -> None:
    tenant.plan(Fault.of(503, on="Threshold", times=None))

    says = tried()["Sign-in"].says

    assert "AUTOTASK_BASE_URL" in says
    assert "CODE" not in says
    assert not breaker.is_open()


def test_a_test_that_works_closes_the_breaker(tenant: FakeAutotask, tried: Tried, breaker: InMemoryBreaker) -> None:
    breaker.open("a wrong secret")

    tried()

    assert not breaker.is_open()


def test_a_wrong_secret_opens_the_breaker_after_one_try(
    tenant: FakeAutotask, tried: Tried, breaker: InMemoryBreaker
) -> None:
    tried(AUTOTASK_SECRET="wrong")

    assert breaker.is_open()
    assert tenant.user.failures == 1


def test_rights_that_are_missing_are_named(tenant: FakeAutotask, tried: Tried) -> None:
    tenant.user.may_write = tenant.user.may_read_deletions = False

    steps = tried()

    assert [name for name in NAMES if steps[name].state is State.FAILED] == ["Tickets", "Notes", "Deleted tickets"]
    assert "add and edit tickets" in steps["Tickets"].says
    assert "administrator rights" in steps["Deleted tickets"].says


def test_keys_that_can_not_be_looked_up_are_told(
    tenant: FakeAutotask, tried: Tried, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.fake_autotask.routes.described", _without_keys)

    assert "could be made twice" in tried()["Keys"].says


def _without_keys(field: object) -> dict[str, object]:
    return {"name": field.name, "isQueryable": field.name != "externalID", "picklistValues": None}  # type: ignore[attr-defined]


def test_a_full_hour_is_told(tenant: FakeAutotask, tried: Tried) -> None:
    tenant.world.used = 9_500

    assert "Polling pauses" in tried()["Sign-in"].says


def test_throttling_is_told_as_such(tenant: FakeAutotask, tried: Tried) -> None:
    tenant.plan(Fault.throttle("300", on="Threshold"))

    assert "try again in 300 seconds" in tried()["Sign-in"].says


def test_a_slip_of_ours_does_not_break_the_page(
    tried: Tried, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(autotask_check.reference, "usage", lambda line: 1 / 0)

    assert tried()["Test"].state is State.FAILED
    assert "the connection test broke off" in caplog.text


def test_settings_that_are_missing_are_named() -> None:
    [step] = try_connection(Settings(autotask_username=USER), breaker=InMemoryBreaker())

    assert step.says.startswith("AUTOTASK_SECRET, AUTOTASK_INTEGRATION_CODE not set")


def test_a_stand_in_on_this_machine_needs_no_credentials(tenant: FakeAutotask) -> None:
    settings = read_settings({"AUTOTASK_BASE_URL": f"{tenant.url}/"})
    tenant.world.users[NOBODY] = User(secret="")
    tenant.world.codes.add("")

    assert settings.has_autotask
    assert {step.state for step in try_connection(settings, breaker=InMemoryBreaker())} == {State.OK}


def test_connections_last_as_long_as_the_process(tenant: FakeAutotask, environment: dict[str, str]) -> None:
    settings = read_settings(environment)

    for _ in range(2):
        open_autotask(settings, breaker=InMemoryBreaker()).companies(["0"])

    assert len(tenant.calls_to("ZoneInformation")) == 1


@pytest.mark.parametrize(
    "base",
    ["http://webservices.autotask.net", "https://autotask.net.attacker.example", "https://user:pw@ww.autotask.net",
     "https://ww1.autotask.net:8443", "http://10.0.0.1", "webservices.autotask.net", "https://[", "ftp://127.0.0.1"],
)  # fmt: skip
def test_only_hosts_of_autotask_are_asked(base: str) -> None:
    with pytest.raises(BadSetting, match="AUTOTASK_BASE_URL"):
        read_settings({"AUTOTASK_BASE_URL": base})


def test_a_stand_in_is_for_development() -> None:
    production = {"APP_ENV": "production", "APP_SECRET_KEY": "x" * 32}

    with pytest.raises(BadSetting, match="AUTOTASK_BASE_URL"):
        read_settings({"AUTOTASK_BASE_URL": "http://127.0.0.1:8301", **production})
    assert not read_settings(production).has_autotask
    assert read_settings({"AUTOTASK_BASE_URL": "https://webservices19.autotask.net", **production})


def test_settings_show_no_secret(environment: dict[str, str]) -> None:
    shown = repr(read_settings(environment))

    assert SECRET not in shown
    assert CODE not in shown


def test_nothing_heavy_is_loaded_before_the_first_call() -> None:
    loaded = "import sys, shared.clients.autotask, shared.clients.autotask_check; print('requests' in sys.modules)"

    assert subprocess.check_output([sys.executable, "-c", loaded], text=True).strip() == "False"
