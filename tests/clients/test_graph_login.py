"""Signing in: which credential the settings name, and what its errors mean."""

import asyncio
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from shared.clients import graph_login
from shared.clients.errors import BadCredentials, Unavailable
from shared.clients.graph import GraphClient, open_mailbox
from shared.clients.graph_line import GraphLine
from shared.clients.graph_login import Identity, credential, identity_of
from shared.settings import BadSetting, Settings, read_settings
from tests.clients.conftest import ADDRESS, Waits
from tests.fake_graph import FakeGraph

REGISTRATION = {"GRAPH_CLIENT_ID": "app", "GRAPH_TENANT_ID": "tenant"}


def make_settings(**environment: str) -> Settings:
    return read_settings({"GRAPH_MAILBOX": ADDRESS, **environment})


class Refusing:
    """A credential of the library that fails."""

    def __init__(self, problem: Exception) -> None:
        self.problem = problem

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        raise self.problem


class Giving:
    """A credential that gives a token and remembers what it was asked for."""

    def __init__(self) -> None:
        self.scopes: list[str] = []

    async def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        self.scopes += scopes
        return AccessToken("t0ken", 4_000_000_000)


@pytest.mark.parametrize(
    "environment, identity",
    [
        ({"GRAPH_BASE_URL": "http://127.0.0.1:8201/v1.0"}, Identity.NONE),
        ({"GRAPH_CLIENT_ID": "identity"}, Identity.MANAGED),
        ({**REGISTRATION, "GRAPH_IDENTITY_CLIENT_ID": "identity", "GRAPH_CLIENT_SECRET": "s"}, Identity.FEDERATED),
        ({**REGISTRATION, "GRAPH_CLIENT_CERTIFICATE_PATH": "x.pem", "GRAPH_CLIENT_SECRET": "s"}, Identity.CERTIFICATE),
        ({**REGISTRATION, "GRAPH_CLIENT_SECRET": "s"}, Identity.EXPIRING),
    ],
    ids=lambda value: value.name if isinstance(value, Identity) else "",
)
def test_the_settings_name_one_way_to_sign_in(environment: dict[str, str], identity: Identity) -> None:
    assert identity_of(make_settings(**environment)) is identity


@pytest.mark.parametrize(
    "environment, missing",
    [
        ({}, "GRAPH_CLIENT_ID"),
        ({"GRAPH_CLIENT_ID": "app", "GRAPH_CLIENT_SECRET": "s"}, "GRAPH_TENANT_ID"),
        (REGISTRATION, "GRAPH_IDENTITY_CLIENT_ID"),
    ],
)
def test_settings_that_name_none_say_what_is_missing(environment: dict[str, str], missing: str) -> None:
    with pytest.raises(BadSetting, match=missing):
        open_mailbox(make_settings(**environment))


def test_a_mailbox_must_be_named() -> None:
    with pytest.raises(BadSetting, match="GRAPH_MAILBOX"):
        open_mailbox(read_settings({"GRAPH_CLIENT_ID": "identity"}))


def test_the_credentials_of_the_library_are_made_without_asking_anybody() -> None:
    environments = [
        {"GRAPH_CLIENT_ID": "identity"},
        {**REGISTRATION, "GRAPH_IDENTITY_CLIENT_ID": "identity"},
        {**REGISTRATION, "GRAPH_CLIENT_SECRET": "s"},
    ]

    assert all(credential(make_settings(**environment)) for environment in environments)


def test_a_certificate_that_is_not_there_is_a_bad_setting() -> None:
    with pytest.raises(BadSetting, match="certificate"):
        credential(make_settings(**REGISTRATION, GRAPH_CLIENT_CERTIFICATE_PATH="/nowhere/cert.pem"))


def test_one_process_has_one_client_a_mailbox(fake: FakeGraph) -> None:
    environment = {"GRAPH_BASE_URL": fake.url}

    assert open_mailbox(make_settings(**environment)) is open_mailbox(make_settings(**environment))
    assert open_mailbox(make_settings(**environment)) is not open_mailbox(
        make_settings(**environment, GRAPH_MAILBOX="other@msp.example")
    )


def test_the_token_goes_along_and_is_asked_for_by_host(fake: FakeGraph) -> None:
    giving = Giving()
    line = GraphLine(fake.url, giving)

    GraphClient(ADDRESS, line).folders()
    line.close()

    assert {call.headers["authorization"] for call in fake.calls} == {"Bearer t0ken"}
    assert set(giving.scopes) == {"https://127.0.0.1/.default"}


@pytest.mark.parametrize(
    "said, words",
    [
        ("AADSTS7000222: The provided client secret keys for app 'x' are expired.", "has expired"),
        ("AADSTS700016: Application with identifier 'x' was not found", "GRAPH_CLIENT_ID"),
        ("AADSTS700213: No matching federated identity record found", "federated credential"),
        ("ManagedIdentityCredential authentication unavailable", "check GRAPH_TENANT_ID"),
    ],
)
def test_a_refused_sign_in_says_what_to_check(said: str, words: str) -> None:
    refusing = graph_login._OffTheLoop(Refusing(ClientAuthenticationError(said)), Identity.EXPIRING)

    with pytest.raises(BadCredentials, match=words) as raised:
        asyncio.run(refusing.get_token("scope"))

    assert said not in str(raised.value)


def test_a_sign_in_that_cannot_be_reached_may_work_later(fake: FakeGraph, waits: Waits) -> None:
    problem = ClientAuthenticationError("Authentication failed: no route")
    problem.__cause__ = ServiceRequestError("no route")
    line = GraphLine(fake.url, graph_login._OffTheLoop(Refusing(problem), Identity.EXPIRING), sleep=waits.sleep)

    with pytest.raises(Unavailable, match="Entra"):
        GraphClient(ADDRESS, line).folders()
    line.close()

    assert len(waits) == 3
    assert fake.calls == []
