"""What goes wrong with systems outside, in terms of what one can do about it."""

from datetime import timedelta


class Upstream(Exception):
    """A system outside did not do what it was asked. `retryable` tells whether the same call may work later."""

    retryable = False


class Unavailable(Upstream):
    """No answer, half an answer, or a fault on their side (5xx): for now."""

    retryable = True


class Throttled(Upstream):
    """They want us to wait: `retry_after`, or as long as we like where they do not say."""

    retryable = True

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BadCredentials(Upstream):
    """They don't know who we are: no token, a wrong or expired secret, a missing identity."""


class NotAllowed(Upstream):
    """They know us and refuse (403): consent or scope is missing."""


class NotFound(Upstream):
    """What was asked for isn't there (404)."""


class SyncStateLost(Upstream):
    """A delta link is no longer known: read again from the start."""


class Refused(Upstream):
    """They don't take the request (another 4xx): asking again is no use. A fault of ours, or a limit of theirs."""

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code  # their word for it


class BadAnswer(Upstream):
    """An answer that makes no sense."""
