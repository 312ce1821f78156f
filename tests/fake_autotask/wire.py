"""Requests and answers as Autotask sees them, without a socket."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

ROOT = "/atservicesrest"


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request; `base` is the address that the caller used, and so what links are built from."""

    method: str
    path: str  # as it was sent
    target: str  # with its query
    query: Mapping[str, str]
    headers: Mapping[str, str]  # lower-case names
    body: bytes
    base: str
    port: int  # of the caller

    @classmethod
    def parse(cls, method: str, target: str, headers: Mapping[str, str], body: bytes, *, port: int) -> "Request":
        parts = urlsplit(target)
        lower = {name.lower(): value for name, value in headers.items()}
        return cls(
            method=method, path=parts.path, target=target, headers=lower, body=body,
            query=dict(parse_qsl(parts.query, keep_blank_values=True)), base=f"http://{lower.get('host', '')}",
            port=port,
        )  # fmt: skip

    @property
    def route(self) -> list[str]:
        """The decoded parts of the path below the version; the root is taken in any spelling."""
        path = self.path
        for part in (ROOT, "/v1.0"):
            if path.lower().startswith(part):
                path = path[len(part) :]
        return [unquote(part) for part in path.strip("/").split("/")]

    @property
    def entity(self) -> str:
        return self.route[0]

    def json(self) -> dict[str, Any]:
        """Raise Refusal on a body that is no JSON object."""
        try:
            facts = json.loads(self.body or b"null")
        except ValueError:
            facts = None
        if not isinstance(facts, dict):
            raise Refusal(500, "Unexpected request body: a JSON object is required.")
        return facts


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, facts: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> "Answer":
        return cls(
            status=status,
            body=json.dumps(facts).encode(),
            headers={"Content-Type": "application/json; charset=utf-8", **(headers or {})},
        )


class Refusal(Exception):
    """A list of errors, mostly with status 500; without sentences an empty body."""

    def __init__(self, status: int, *says: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(*says)
        self.status = status
        self.says = says
        self.headers = headers or {}

    @property
    def answer(self) -> Answer:
        if not self.says:
            return Answer(status=self.status, headers=self.headers)
        return Answer.of({"errors": list(self.says)}, status=self.status, headers=self.headers)


class WebRefusal(Refusal):
    """What the web server itself refuses: a route or a verb."""

    @property
    def answer(self) -> Answer:
        return Answer.of({"Message": self.says[0]}, status=self.status)


def no_verb(method: str) -> WebRefusal:
    return WebRefusal(405, f"The requested resource does not support http method '{method}'.")


def no_route() -> WebRefusal:
    return WebRefusal(404, "No HTTP resource was found that matches the request URI.")


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """A line of the journal: what was asked, and what was answered (0: nothing, the connection was cut)."""

    method: str
    path: str  # below the version
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any
    status: int
    fault: str = ""
    is_signed: bool = False  # it carried a secret
    port: int = 0  # of the caller: the same one means the same connection
