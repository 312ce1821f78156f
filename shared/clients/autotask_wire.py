"""One request to Autotask and its answer. No error from here holds a header, a query or a body: those are secrets."""

import logging
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from shared.clients.autotask_answers import Answer, good
from shared.clients.errors import BadAnswer, BadCredentials, Unavailable, Unreached, Upstream
from shared.clients.patience import Patience

if TYPE_CHECKING:
    from requests import Response, Session

log = logging.getLogger(__name__)

PIECE = 65_536
LARGEST = 64 * 1024 * 1024

# Below this level it writes whole addresses, and one of ours holds the user.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


@dataclass(frozen=True, kw_only=True, slots=True)
class CallRecord:
    """What the flight recorder keeps of one attempt; `path` has no query, `status` is 0 where no answer came."""

    at: datetime
    method: str
    path: str
    status: int
    took: timedelta
    attempt: int
    error: str  # the name of an error class, empty when all went well


Recorder = Callable[[CallRecord], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One attempt. `fresh`: over a connection of its own, because an old one may be dead without telling."""

    method: str
    url: str = field(repr=False)
    shown: str  # the path as the flight recorder may show it
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)
    attempt: int = 1
    fresh: bool = False


class Wire:
    """Connections that stay open. Redirects are not followed: our secrets are headers, which would go along.

    Proxies, .netrc and cookies are not used either. Safe for threads.
    """

    def __init__(self, patience: Patience, *, now: Callable[[], datetime]) -> None:
        self._patience = patience
        self._now = now
        self._kept = _session()

    def exchange(self, request: Request, record: Recorder) -> dict[str, Any]:
        """Return the JSON object of a good answer. Raise Upstream."""
        at, started = self._now(), time.monotonic()
        status, error = 0, ""
        try:
            answer = self._answer(request)
            status = answer.status
            return good(answer, now=self._now())
        except Upstream as problem:
            error = type(problem).__name__
            raise
        finally:
            took = timedelta(seconds=time.monotonic() - started)
            _tell(record, request, at=at, status=status, took=took, error=error)

    def close(self) -> None:
        self._kept.close()

    def _answer(self, request: Request) -> Answer:
        """The error is raised where the one of `requests`, which holds our headers, is no longer its context."""
        if not request.fresh:
            outcome = self._sent(self._kept, request)
        else:
            with _session() as session:
                outcome = self._sent(session, request)
        if isinstance(outcome, Upstream):
            raise outcome
        return outcome

    def _sent(self, session: "Session", request: Request) -> Answer | Upstream:
        import requests
        from urllib3.exceptions import HTTPError

        wait = (self._patience.connect.total_seconds(), self._patience.read.total_seconds())
        until = time.monotonic() + self._patience.attempt.total_seconds()
        try:
            with session.request(
                request.method, request.url, data=request.body, headers=dict(request.headers),
                timeout=wait, allow_redirects=False, stream=True,
            ) as response:  # fmt: skip
                return _whole(response, until)
        except (requests.RequestException, HTTPError, ValueError) as problem:
            return _in_our_words(problem)


def _session() -> "Session":
    import requests
    from requests.adapters import HTTPAdapter

    session = requests.Session()
    session.trust_env = False
    session.cookies.set_policy(_no_cookies())
    session.mount("https://", HTTPAdapter(pool_connections=2, pool_maxsize=4))
    return session


def _whole(response: "Response", until: float) -> Answer | Upstream:
    pieces, size = [], 0
    for piece in response.iter_content(PIECE):
        size += len(piece)
        pieces.append(piece)
        if size > LARGEST:
            return BadAnswer("Autotask's answer has no end")
        if time.monotonic() > until:
            return Unavailable("Autotask did not answer in time")
    return Answer(status=response.status_code, headers=response.headers, body=b"".join(pieces))


def _in_our_words(problem: Exception) -> Upstream:
    import requests
    from urllib3.exceptions import NewConnectionError

    reason = getattr(problem.args[0] if problem.args else None, "reason", None)
    if isinstance(problem, requests.ConnectTimeout) or isinstance(reason, NewConnectionError):
        return Unreached("Autotask's host can't be reached")
    if isinstance(problem, requests.exceptions.SSLError) and _is_bad_certificate(reason):
        return Unreached("the certificate of Autotask's host is not valid for its name")
    if isinstance(problem, requests.Timeout):
        return Unavailable("Autotask did not answer in time")
    if isinstance(problem, requests.exceptions.InvalidHeader | UnicodeError):
        return BadCredentials("the user, secret or integration code has characters that none of them can have")
    return Unavailable(f"no whole answer from Autotask: {type(problem).__name__}")


def _is_bad_certificate(reason: Any) -> bool:
    return bool(reason and reason.args and isinstance(reason.args[0], ssl.SSLCertVerificationError))


def _tell(
    record: Recorder, request: Request, *, at: datetime, status: int, took: timedelta, error: str
) -> None:  # fmt: skip
    """Whatever the recorder does, the call has happened and its result counts."""
    try:
        record(
            CallRecord(
                at=at, method=request.method, path=request.shown, status=status, took=took,
                attempt=request.attempt, error=error,
            )
        )  # fmt: skip
    except Exception:
        log.exception("the flight recorder failed")


def _no_cookies() -> Any:
    from http.cookiejar import DefaultCookiePolicy

    return DefaultCookiePolicy(allowed_domains=[])
