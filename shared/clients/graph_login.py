"""Who we are to Microsoft Graph, by the settings. azure.identity is loaded at first use: that takes its time."""

import asyncio
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from shared.clients.errors import BadCredentials, Unavailable, Upstream
from shared.settings import BadSetting, Settings

if TYPE_CHECKING:
    from azure.core.credentials import AccessToken, TokenCredential

EXCHANGE = "api://AzureADTokenExchange/.default"
# The library's own patience is five minutes a try, and ten tries.
HASTE: dict[str, Any] = {"connection_timeout": 10, "read_timeout": 30, "retry_total": 2}

# What Entra's error numbers mean to the one who has to put it right.
MEANINGS = {
    "AADSTS7000215": "the client secret is wrong: set GRAPH_CLIENT_SECRET to the value of a secret, not to its id",
    "AADSTS7000222": "the client secret has expired: make a new one and set GRAPH_CLIENT_SECRET",
    "AADSTS700027": "the certificate is not the one that the app registration knows, or it has expired",
    "AADSTS700016": "the app registration isn't found in the tenant: check GRAPH_CLIENT_ID and GRAPH_TENANT_ID",
    "AADSTS90002": "the tenant isn't found: check GRAPH_TENANT_ID",
    "AADSTS900023": "the tenant isn't found: check GRAPH_TENANT_ID",
    "AADSTS70021": "the app registration has no federated credential for this managed identity",
    "AADSTS700213": "the app registration has no federated credential for this managed identity",
    "AADSTS700211": "the app registration's federated credential names another issuer",
    "AADSTS700212": "the app registration's federated credential names another audience",
    "AADSTS500011": "the tenant has no service principal for Microsoft Graph",
    "AADSTS7000112": "the app registration is disabled",
}


class Identity(StrEnum):
    """The ways to sign in, as people call them."""

    NONE = "no credential, to a stand-in for Graph on this machine"
    MANAGED = "the managed identity"
    FEDERATED = "an app registration that trusts the managed identity"
    CERTIFICATE = "an app registration with a certificate"
    EXPIRING = "an app registration with a client secret"


class AsyncCredential(Protocol):
    """What the SDK asks for a token."""

    async def get_token(self, *scopes: str, **options: Any) -> "AccessToken": ...


def identity_of(settings: Settings) -> Identity:
    """Return how the settings let us sign in. Raise BadSetting when they don't."""
    if settings.graph_is_loopback:
        return Identity.NONE
    if not settings.graph_client_id:
        raise BadSetting("GRAPH_CLIENT_ID is not set: the client id of the managed identity or of the app registration")
    if settings.graph_tenant_id:
        return _registration(settings)
    if settings.graph_identity_client_id or settings.graph_certificate_path or settings.graph_client_secret:
        raise BadSetting("GRAPH_TENANT_ID is not set: an app registration is used, so its tenant must be known")
    return Identity.MANAGED


def _registration(settings: Settings) -> Identity:
    if settings.graph_identity_client_id:
        return Identity.FEDERATED
    if settings.graph_certificate_path:
        return Identity.CERTIFICATE
    if settings.graph_client_secret:
        return Identity.EXPIRING
    raise BadSetting(
        "GRAPH_TENANT_ID is set, so an app registration is used, but nothing to sign in with: "
        "set GRAPH_IDENTITY_CLIENT_ID (preferred), GRAPH_CLIENT_CERTIFICATE_PATH or GRAPH_CLIENT_SECRET"
    )


def credential(settings: Settings) -> AsyncCredential | None:
    """Return the credential that the settings name, None where none is needed. Raise BadSetting."""
    identity = identity_of(settings)
    if identity is Identity.NONE:
        return None
    try:
        return _OffTheLoop(_library_credential(identity, settings), identity)
    except (ValueError, OSError) as problem:
        raise BadSetting(f"{identity} can't be used: {type(problem).__name__}; check the certificate file") from problem


def _library_credential(identity: Identity, settings: Settings) -> "TokenCredential":
    import azure.identity as library

    tenant, client = settings.graph_tenant_id, settings.graph_client_id
    match identity:
        case Identity.CERTIFICATE:
            return library.CertificateCredential(tenant, client, settings.graph_certificate_path, **HASTE)
        case Identity.EXPIRING:
            return library.ClientSecretCredential(tenant, client, settings.graph_client_secret, **HASTE)
        case Identity.FEDERATED:
            managed = library.ManagedIdentityCredential(client_id=settings.graph_identity_client_id, **HASTE)
            return library.ClientAssertionCredential(tenant, client, lambda: managed.get_token(EXCHANGE).token, **HASTE)
    return library.ManagedIdentityCredential(client_id=client, **HASTE)


class _OffTheLoop:
    """A blocking credential for an event loop, with errors in our terms."""

    def __init__(self, blocking: "TokenCredential", identity: Identity) -> None:
        self._blocking = blocking
        self._identity = identity

    async def get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        return await asyncio.to_thread(self._get_token, *scopes, **options)

    def _get_token(self, *scopes: str, **options: Any) -> "AccessToken":
        from azure.core.exceptions import AzureError

        try:
            return self._blocking.get_token(*scopes, **options)
        except AzureError as problem:
            raise _in_our_terms(problem, self._identity) from problem


def _in_our_terms(problem: Exception, identity: Identity) -> Upstream:
    from azure.core.exceptions import ServiceRequestError, ServiceResponseError

    causes = list(_chain(problem))
    busy = any(getattr(each, "status_code", None) in (429, 500, 502, 503, 504) for each in causes)
    if busy or any(isinstance(each, ServiceRequestError | ServiceResponseError) for each in causes):
        return Unavailable("Microsoft Entra ID can't be reached for a token")
    code = next(iter(re.findall(r"AADSTS\d+", " ".join(str(each) for each in causes))), "")
    meaning = MEANINGS.get(code) or _usual_reason(identity)
    return BadCredentials(f"no token for {identity}: {meaning}{f' ({code})' if code else ''}")


def _usual_reason(identity: Identity) -> str:
    match identity:
        case Identity.MANAGED:
            return "check that the identity of GRAPH_CLIENT_ID is assigned to this app"
        case Identity.FEDERATED:
            return "check that the identity of GRAPH_IDENTITY_CLIENT_ID is assigned to this app, and its federation"
    return "check GRAPH_TENANT_ID, GRAPH_CLIENT_ID and the credential"


def _chain(problem: BaseException | None) -> Iterator[BaseException]:
    """Yield the problem and what led to it: the library wraps a broken line in a refusal to sign in."""
    seen: set[int] = set()
    while problem is not None and id(problem) not in seen:
        seen.add(id(problem))
        yield problem
        problem = problem.__cause__ or problem.__context__
