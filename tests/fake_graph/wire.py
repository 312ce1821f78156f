"""Requests and answers as Graph sees them, without a socket."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

MAX_PAGE = 1000


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request; `base` is the address that the caller used, and so what links are built from."""

    method: str
    path: str  # below /v1.0, as it was sent
    query: Mapping[str, str]
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    base: str
    inner: bool = False  # part of a batch

    @classmethod
    def parse(cls, method: str, target: str, headers: Mapping[str, str], body: bytes, *, base: str) -> "Request":
        parts = urlsplit(target)
        return cls(
            method=method,
            path=parts.path.removeprefix("/v1.0"),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in headers.items()},
            body=body,
            base=base,
        )

    @property
    def segments(self) -> list[str]:
        """The decoded parts of the path; an id may hold a slash."""
        return [unquote(part) for part in self.path.strip("/").split("/")]

    @property
    def wants_immutable_ids(self) -> bool:
        return re.search(r'IdType\s*=\s*"?ImmutableId', self.headers.get("prefer", "")) is not None

    @property
    def page_size(self) -> int:
        """What the caller prefers, ten otherwise."""
        preferred = re.search(r"odata\.maxpagesize\s*=\s*(\d+)", self.headers.get("prefer", ""))
        return min(MAX_PAGE, int(preferred[1])) if preferred and int(preferred[1]) else 10

    def json(self) -> dict[str, Any]:
        """Raise GraphError on a body that is no JSON object."""
        try:
            facts = json.loads(self.body or b"{}")
        except ValueError as problem:
            raise GraphError(400, "BadRequest", "Unable to read JSON request payload.") from problem
        if not isinstance(facts, dict):
            raise GraphError(400, "BadRequest", "Unable to read JSON request payload.")
        return {name[:1].lower() + name[1:]: value for name, value in facts.items()}  # `DestinationId` is taken too


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: object, *, status: int = 200) -> "Answer":
        return cls(status=status, body=json.dumps(facts).encode(), headers={"Content-Type": "application/json"})


class GraphError(Exception):
    """A refusal, in Graph's shape."""

    def __init__(self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}

    @property
    def answer(self) -> Answer:
        facts = {"error": {"code": self.code, "message": str(self), "innerError": {"request-id": "0"}}}
        body = json.dumps(facts).encode()
        return Answer(status=self.status, body=body, headers={"Content-Type": "application/json", **self.headers})


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A line of the journal: what was asked, and what was answered (0: nothing, the connection was cut)."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    inner: bool
    status: int
    fault: str = ""
