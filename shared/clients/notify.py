"""Says alarms to webhooks, and pings dead-man's switches. Their addresses are secrets: no error or log holds one."""

import logging
from collections.abc import Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from shared.clients import public_host
from shared.clients.errors import Refused, Throttled, Unavailable
from shared.clients.public_host import Resolve, checked_ip, read_place

if TYPE_CHECKING:
    from requests import Response

# Seconds to connect, and of silence while we wait: an answer that trickles in may take longer than both. What is sent
# twice because of that carries the same key.
TIMEOUT = (5, 10)
LONGEST_RETRY_AFTER = timedelta(hours=1)
_LATER = frozenset({408, 425})

# It writes whole addresses below this level.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


class Notifier:
    """Sends over https to hosts of the internet; outside production also to this machine and the network around it.

    Redirects are not followed, proxies not used: either would lead past the check of where it goes. Every call may
    raise Upstream.
    """

    def __init__(self, *, production: bool, resolve: Resolve = public_host.resolve) -> None:
        self._production = production
        self._resolve = resolve

    def post(self, address: str, body: Mapping[str, Any], *, key: str) -> None:
        """Post JSON. `key` is the same when it is said again, so that the receiver can tell."""
        self._send("POST", address, json=body, headers={"Idempotency-Key": key})

    def ping(self, address: str) -> None:
        self._send("GET", address, json=None, headers={})

    def _send(self, method: str, address: str, *, json: Mapping[str, Any] | None, headers: Mapping[str, str]) -> None:
        place = read_place(address, production=self._production)
        ip = checked_ip(place, production=self._production, resolve=self._resolve)
        headers = {"User-Agent": "Backupchecks", "Host": place.authority, **headers}
        with _answer(method, place.at(ip), name=place.host, json=json, headers=headers) as answer:
            _check(answer)


def _answer(
    method: str, address: str, *, name: str, json: Mapping[str, Any] | None, headers: Mapping[str, str]
) -> "Response":
    """Return the answer, its body unread. Raise Unavailable or Refused; the causes hold the address and stay here."""
    import requests
    from urllib3.exceptions import HTTPError

    try:
        with requests.Session() as session:
            session.trust_env = False
            session.mount("https://", _adapter_for(name))
            return session.request(
                method, address, json=json, headers=dict(headers), timeout=TIMEOUT, allow_redirects=False, stream=True
            )
    except requests.exceptions.SSLError:
        raise Unavailable("No secure connection: its certificate is not valid for its name.") from None
    except requests.Timeout:
        raise Unavailable("It did not answer in time.") from None
    except requests.ConnectionError:
        raise Unavailable("No connection, or it broke off.") from None
    except (requests.RequestException, HTTPError, ValueError):
        raise Refused("It cannot be asked, or what it answered is not HTTP.") from None


def _adapter_for(name: str) -> Any:
    """Return an adapter that connects to an IP and expects the certificate of `name` there."""
    from requests.adapters import HTTPAdapter

    class Pinned(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, server_hostname=name, assert_hostname=name, **kwargs)

    return Pinned()


def _check(answer: "Response") -> None:
    status = answer.status_code
    if 200 <= status < 300:
        return
    if status == 429:
        raise Throttled("It wants us to wait (429).", retry_after=_retry_after(answer.headers.get("Retry-After", "")))
    if status >= 500 or status in _LATER:
        raise Unavailable(f"It answered with status {status}.")
    if 300 <= status < 400:
        raise Refused(f"It answered with a redirect ({status}), which is not followed.")
    raise Refused(f"It does not take messages: status {status}.")


def _retry_after(text: str) -> timedelta | None:
    """Read the seconds; a date is not worth a clock here, our own patience will do."""
    text = text.strip()
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        return None
    return min(timedelta(seconds=int(text)), LONGEST_RETRY_AFTER)
