"""The few query options that our kind of request uses; anything else is refused, so that a slip shows."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode

from tests.fake_graph.wire import MAX_PAGE, GraphError, Request

FILTER = re.compile(r"receivedDateTime (ge|gt) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)")
PROPERTIES = frozenset({
    "id", "internetMessageId", "subject", "from", "sender", "receivedDateTime", "sentDateTime", "hasAttachments",
    "body", "parentFolderId",
})  # fmt: skip


def check_options(request: Request, allowed: set[str]) -> None:
    for option in request.query:
        if option not in allowed:
            raise GraphError(400, "BadRequest", f"Unknown or unsupported query option: {option}")


def received_since(request: Request) -> datetime | None:
    text = request.query.get("$filter")
    if text is None:
        return None
    found = FILTER.fullmatch(text)
    if found is None:
        raise GraphError(400, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.")
    return datetime.fromisoformat(found[2])


def selected(request: Request) -> tuple[str, ...]:
    names = tuple(request.query["$select"].split(",")) if "$select" in request.query else ()
    if not PROPERTIES.issuperset(names):
        raise GraphError(400, "BadRequest", f"Could not find a property in {','.join(names)}")
    return names


def paged(request: Request, items: Sequence[Any]) -> tuple[Sequence[Any], dict[str, str]]:
    """Return the items of this page, and the link to the next one."""
    size = min(MAX_PAGE, int(request.query.get("$top") or request.page_size))
    skip = int(request.query.get("$skip") or 0)
    if skip + size >= len(items):
        return items[skip:], {}
    options = urlencode({**request.query, "$skip": skip + size}, quote_via=quote, safe="$")
    return items[skip : skip + size], {"@odata.nextLink": f"{request.base}{request.path}?{options}"}
