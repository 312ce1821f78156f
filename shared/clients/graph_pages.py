"""Lists that come in pages, each with a link to the next."""

import logging
from collections.abc import Iterator
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from shared.clients import graph_asks as asks
from shared.clients.errors import BadAnswer
from shared.clients.graph_answers import Items, checked
from shared.clients.graph_asks import Ask
from shared.clients.graph_line import GraphLine

log = logging.getLogger(__name__)

Item = TypeVar("Item", bound=BaseModel)


def items(line: GraphLine, first: Ask, kind: type[Item]) -> Iterator[Item]:
    """Yield the items of all pages; those that can't be used are left out with a warning."""
    for page in _pages(line, first):
        for each in page.value:
            item = usable(kind, each)
            if item is not None:
                yield item


def usable(kind: type[Item], item: Any) -> Item | None:
    try:
        return kind.model_validate(item)
    except ValidationError as problem:
        fields = sorted({str(error["loc"][0]) if error["loc"] else "" for error in problem.errors()})
        log.warning("an item of a page can't be used", extra={"kind": kind.__name__, "fields": fields})
        return None


def own_link(line: GraphLine, link: str) -> str:
    """Return the link. Raise BadAnswer when it leads to another host, which must not get our token."""
    if not line.leads_here(link):
        raise BadAnswer("Microsoft Graph's link leads to another host")
    return link


def _pages(line: GraphLine, ask: Ask) -> Iterator[Items]:
    seen: set[str] = set()
    while True:
        page = checked(Items, line.call(ask))
        yield page
        if page.next_link is None:
            return
        if page.next_link in seen:
            raise BadAnswer("Microsoft Graph's pages lead in a circle")
        seen.add(page.next_link)
        ask = asks.further(own_link(line, page.next_link))
