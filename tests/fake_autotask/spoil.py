"""What a fault makes of a good answer."""

import json
import re
from typing import Any

from tests.fake_autotask.faults import Effect, Fault
from tests.fake_autotask.wire import Answer, Request

PAGE = b"<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def spoiled(answer: Answer, fault: Fault, *, before: Answer | None) -> Answer:
    """Return the answer as the fault lets it out. `before` is the page that was answered last."""
    match fault.effect:
        case Effect.LATE:
            return refused(fault)
        case Effect.HALF:
            return Answer(status=answer.status, body=answer.body[: len(answer.body) // 2], headers=answer.headers)
        case Effect.REPEAT if before is not None:
            return before
        case Effect.DOUBLE | Effect.NAIVE | Effect.UNKNOWN | Effect.ERRORS | Effect.FOREIGN:
            return Answer.of(_changed(json.loads(answer.body), fault), status=answer.status)
    return answer


def refused(fault: Fault) -> Answer:
    if fault.effect is Effect.HTML:
        return Answer(status=502, body=PAGE, headers={"Content-Type": "text/html"})
    headers = dict(fault.headers)
    return (
        Answer.of({"errors": list(fault.says)}, status=fault.status, headers=headers)
        if fault.says
        else Answer(status=fault.status, headers=headers)
    )


def redirected(fault: Fault, request: Request) -> Answer:
    return Answer(status=302, headers={"Location": f"{fault.to}{request.target}"})


def _changed(facts: dict[str, Any], fault: Fault) -> dict[str, Any]:
    match fault.effect:
        case Effect.DOUBLE:
            return facts | {"items": [row for row in facts["items"] for _ in range(2)]}
        case Effect.NAIVE:
            return _naive(facts)
        case Effect.UNKNOWN:
            return facts | {"items": [row | {"newSince": "2030", "other": {"x": [1]}} for row in facts["items"]]}
        case Effect.ERRORS:
            return facts | {"errors": list(fault.says)}
    facts["pageDetails"]["nextPageUrl"] = f"{fault.to}/ATServicesRest/V1.0/Tickets/query/next?paging=%7b%7d"
    return facts


def _naive(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _naive(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_naive(each) for each in value]
    if isinstance(value, str) and MOMENT.fullmatch(value):
        return f"{value[:19]}.5"
    return value
