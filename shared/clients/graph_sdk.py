"""Everything that touches Microsoft's SDK, which is loaded at the first request: that takes most of a second.

A test holds the details of this version that are relied on here.
"""

import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shared.clients.graph_asks import Ask
from shared.clients.graph_login import AsyncCredential
from shared.clients.patience import Patience

if TYPE_CHECKING:
    import httpx


def scope(base_url: str) -> str:
    """Return what a token for this base address is asked for."""
    return f"https://{urlsplit(base_url).hostname}/.default"


class Sdk:
    """The SDK's request adapter for one base address. Belongs to the event loop that it is first used on."""

    def __init__(self, base_url: str, credential: AsyncCredential | None, patience: Patience) -> None:
        from msgraph.graph_request_adapter import GraphRequestAdapter

        logging.getLogger("httpx").setLevel(logging.WARNING)  # it would log addresses, which name the mailbox
        http = _http_client(patience, is_local=base_url.startswith("http://"))
        # The SDK puts its own transport around each of these and forgets to close them.
        self._transports = [http._transport, *(each for each in http._mounts.values() if each)]  # noqa: SLF001
        self._adapter = GraphRequestAdapter(_authentication(base_url, credential), _with_middleware(http))
        self._adapter.base_url = base_url

    async def send(self, ask: Ask) -> "httpx.Response":
        """Return the answer, whatever its status. Raise httpx.RequestError, or what the credential raises."""
        answer: httpx.Response = await self._adapter.send_primitive_async(_request(ask), "bytes", None)
        return answer

    async def close(self) -> None:
        for each in self._transports:
            await each.aclose()


def _http_client(patience: Patience, *, is_local: bool) -> "httpx.AsyncClient":
    import httpx

    timeout = httpx.Timeout(patience.read.total_seconds(), connect=patience.connect.total_seconds())
    return httpx.AsyncClient(timeout=timeout, http2=not is_local, trust_env=not is_local)


def _with_middleware(http: "httpx.AsyncClient") -> Any:
    """Put the SDK's own handlers before the client, less the two that would act behind our back."""
    from kiota_http.middleware.options import RedirectHandlerOption, RetryHandlerOption
    from msgraph.graph_request_adapter import options
    from msgraph_core import GraphClientFactory  # type: ignore[import-untyped]

    ours = (RetryHandlerOption(should_retry=False), RedirectHandlerOption(should_redirect=False))
    return GraphClientFactory.create_with_default_middleware(
        client=http, options={**options, **{each.get_key(): each for each in ours}}
    )


def _authentication(base_url: str, credential: AsyncCredential | None) -> Any:
    from kiota_abstractions.authentication import AnonymousAuthenticationProvider
    from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider

    if credential is None:
        return AnonymousAuthenticationProvider()
    host = urlsplit(base_url).hostname or ""  # without the port: with one, the SDK would send no token and not say so
    return AzureIdentityAuthenticationProvider(credential, scopes=[scope(base_url)], allowed_hosts=[host])


def _request(ask: Ask) -> Any:
    """Return the request in the SDK's terms, a new one for each attempt: the token becomes part of it."""
    from kiota_abstractions.method import Method
    from kiota_abstractions.native_response_handler import NativeResponseHandler
    from kiota_abstractions.request_information import RequestInformation
    from kiota_http.middleware.options import ResponseHandlerOption

    request = RequestInformation(Method(ask.method), "{+baseurl}" + ask.template, dict(ask.filled))
    if ask.link:
        request.url = ask.link
    if ask.body is not None:
        request.set_stream_content(json.dumps(ask.body).encode(), "application/json")
    request.headers.add("Prefer", ask.prefer)
    # The whole answer, because the adapter would keep the body of a refusal to itself.
    request.add_request_options([ResponseHandlerOption(NativeResponseHandler())])
    return request
