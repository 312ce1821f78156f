"""What goes wrong with systems outside, in terms of what one can do about it."""

from datetime import timedelta


class Upstream(Exception):
    """A system outside did not do what it was asked. `retryable` tells whether the same call may work later."""

    retryable = False


class Unavailable(Upstream):
    """No answer, half an answer, or a fault on their side (5xx): for now."""

    retryable = True


class Unreached(Unavailable):
    """There was no connection: they never heard of it."""


class Throttled(Upstream):
    """They want us to wait: `retry_after`, or as long as we like where they do not say."""

    retryable = True

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class BadCredentials(Upstream):
    """They don't know who we are: no token, a wrong or expired secret, a missing identity."""


class UnknownUser(BadCredentials):
    """They have no such user."""


class WrongSecret(BadCredentials):
    """They have the user and refuse him: a wrong secret, a locked or disabled user."""


class UnknownIntegrationCode(BadCredentials):
    """They don't know the code that names the application."""


class BreakerOpen(Upstream):
    """They refused us before, and asking on would lock the user: nothing was sent, until a person says so."""


class NotAllowed(Upstream):
    """They know us and refuse (403): consent or scope is missing."""


class NotFound(Upstream):
    """What was asked for isn't there (404)."""


class AnotherTicket(Upstream):
    """What has the ticket's id is another ticket, or another company's by now: nothing was sent to it."""


class SyncStateLost(Upstream):
    """A delta link is no longer known: read again from the start."""


class Refused(Upstream):
    """They don't take the request (another 4xx): asking again is no use. A fault of ours, or a limit of theirs."""

    def __init__(self, message: str, *, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code  # their word for it


class InvalidData(Refused):
    """They took none of it. `says` is their own list of reasons: for the one who asked, never for a log.

    `reference_is_stale`: a choice that was sent is none of theirs any more, so what we know of them needs a refresh.
    """

    def __init__(
        self, message: str, *, says: tuple[str, ...] = (), status: int = 0, reference_is_stale: bool = False
    ) -> None:
        super().__init__(message, status=status)
        self.says = says
        self.reference_is_stale = reference_is_stale


class OutcomeUnknown(Upstream):
    """A change was sent: done, not done, or done yet before `settles_in` is over. Look before sending it again."""

    retryable = True

    def __init__(self, message: str, *, settles_in: timedelta) -> None:
        super().__init__(message)
        self.settles_in = settles_in


class NotSupported(Upstream):
    """What is asked for is nothing that this provider does."""


class BadAnswer(Upstream):
    """An answer that makes no sense."""


class WritesBlocked(Upstream):
    """This installation is a sandbox: it reads, and changes nothing of anybody's."""
