"""Refusals we expect. Each is raised with a sentence an operator can act on; `http_api` gives it a status once."""


class Refusal(Exception):
    """Nothing is broken: the request can't be granted, and `str()` says why and what helps."""


class NotFound(Refusal):
    """What was asked for is not there, or not any more."""


class Conflict(Refusal):
    """Somebody was faster, or the state is no longer what the page showed."""


class NotAllowed(Refusal):
    """The person may not do this."""


class BadInput(Refusal):
    """What was typed can't be used; `field` names where."""

    def __init__(self, sentence: str, *, field: str | None = None) -> None:
        super().__init__(sentence)
        self.field = field


class TooMany(Refusal):
    """Too many attempts in too short a time."""


class Upstream(Refusal):
    """Another system did not do what we asked; `retryable` tells whether trying again may help."""

    def __init__(self, sentence: str, *, retryable: bool) -> None:
        super().__init__(sentence)
        self.retryable = retryable
