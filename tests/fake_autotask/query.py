"""The query language, with its traps: what it does not know it leaves out, and answers with everything else."""

import json
import operator
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from tests.fake_autotask.schema import Entity, Field
from tests.fake_autotask.wire import Refusal, Request, WebRefusal, no_verb
from tests.fake_autotask.world import Row, User, World, without_secrets

MOST_CONDITIONS = 500
MOST_ROWS = 500
LONGEST_URL = 2048

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "noteq": operator.ne,
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
    "beginsWith": lambda found, wanted: str(found).startswith(str(wanted)),
    "endsWith": lambda found, wanted: str(found).endswith(str(wanted)),
    "contains": lambda found, wanted: str(wanted) in str(found),
}


class Query:
    """One query over the rows of an entity that a user sees."""

    def __init__(self, world: World, entity: Entity, user: User, facts: dict[str, Any]) -> None:
        self._world = world
        self._entity = entity
        self._user = user
        self._facts = {name.lower(): value for name, value in facts.items()}
        self.filter = self._facts.get("filter") or []
        if not self.filter or not isinstance(self.filter, list):
            raise Refusal(500, "The filter of the query is missing or empty.")
        if _conditions(self.filter) > MOST_CONDITIONS:
            raise Refusal(500, f"Queries are limited to {MOST_CONDITIONS} or fewer 'OR' conditions.")
        self.most = self._facts.get("maxrecords", MOST_ROWS)
        if not isinstance(self.most, int) or not 1 <= self.most <= MOST_ROWS:
            raise Refusal(500, f"maxCountOfRecordsToReturn must be between 1 and {MOST_ROWS}")
        self._all(self.filter, {"userDefinedFields": []})  # a field that is not there is refused on no rows too

    def rows(self, *, after: int | None = None) -> list[Row]:
        """Return the rows by id; those below a cursor are left out."""
        found = self._world.rows[self._entity.plural]
        return [
            found[row_id]
            for row_id in sorted(found)
            if (after is None or row_id > after) and is_visible(self._world, self._entity, self._user, found[row_id])
            and self._all(self.filter, found[row_id])
        ]  # fmt: skip

    def shown(self, row: Row) -> Row:
        """Return the fields that were asked for, and the two that always come."""
        wanted = self._facts.get("includefields")
        if wanted is None:
            return without_secrets(row)
        fields = {self._field(name).name for name in wanted} | {"id", "userDefinedFields"}
        return {name: value for name, value in row.items() if name in fields}

    def _all(self, clauses: Iterable[dict[str, Any]], row: Row) -> bool:
        return all([self._holds(each, row) for each in clauses])  # noqa: C419 (each is checked)

    def _holds(self, clause: dict[str, Any], row: Row) -> bool:
        op = clause.get("op", "")
        if op in ("and", "or") and "items" in clause:
            results = [self._holds(each, row) for each in clause["items"]]
            return all(results) if op == "and" else any(results)
        if clause.get("udf"):
            values = {each["name"]: each["value"] for each in row["userDefinedFields"]}
            return self._compared(op, values.get(clause["field"]), clause.get("value"), Field(name=clause["field"]))
        field = self._field(clause.get("field", ""))
        return self._compared(op, row.get(field.name), clause.get("value"), field)

    def _compared(self, op: str, found: Any, wanted: Any, field: Field) -> bool:
        if op == "exist":
            return found is not None
        if op == "notExist":
            return found is None
        if op in ("in", "notIn"):
            among = any(_comparable(found, field) == _comparable(each, field) for each in wanted)
            return found is not None and among == (op == "in")
        if op not in COMPARISONS:
            self._world.unknown_operators.append(op)
            return True
        wanted = _comparable(wanted, field)
        return found is not None and COMPARISONS[op](_comparable(found, field), wanted)

    def _field(self, name: str) -> Field:
        found = self._entity.find(name)
        if found is None or not found.queryable:
            raise Refusal(500, f"Unable to find {name} in the {self._entity.singular} Entity.")
        return found


def is_visible(world: World, entity: Entity, user: User, row: Row) -> bool:
    if entity.plural == "Tickets":
        return user.sees(row)
    if entity.plural == "TicketNotes":
        ticket = world.tickets.get(row["ticketID"])
        return ticket is not None and user.sees(ticket)
    return True


def answered(query: Query, request: Request, *, after: int | None, link_base: str) -> dict[str, Any]:
    """Return a page, and the link to the next one where it is full."""
    page = query.rows(after=after)[: query.most]
    return {
        "items": [query.shown(row) for row in page],
        "pageDetails": {
            "count": len(page), "requestCount": query.most, "prevPageUrl": None,
            "nextPageUrl": _next(query, request, page, link_base) if len(page) == query.most else None,
        },
    }  # fmt: skip


def started(request: Request) -> dict[str, Any]:
    """Return the query of a request, in its body or its address. Raise Refusal."""
    if request.method == "POST":
        return request.json()
    if request.method != "GET":
        raise no_verb(request.method)
    if len(request.target) > LONGEST_URL:
        raise WebRefusal(404, "The resource you are looking for has been removed.")
    return _json(request.query.get("search", ""))


def continued(request: Request) -> tuple[dict[str, Any], int]:
    """Return the query and where its page begins: a link goes on with the method that it began with. Raise Refusal."""
    after = int(_json(request.query.get("paging", ""))["nextIds"][0])
    if request.method == "GET" and "search" not in request.query:
        raise no_verb("GET")
    return started(request), after


def _next(query: Query, request: Request, page: list[Row], link_base: str) -> str:
    paging = {"pageSize": query.most, "previousIds": [-1], "nextIds": [page[-1]["id"]]}
    link = f"{link_base}/ATServicesRest/V1.0/{request.entity}/query/next?paging={_quoted(json.dumps(paging))}"
    search = request.query.get("search")
    return link if search is None else f"{link}&search={_quoted(search)}"


def _quoted(text: str) -> str:
    """Escapes come in small letters."""
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quote(text, safe=""))


def _json(text: str) -> dict[str, Any]:
    try:
        facts = json.loads(text)
    except ValueError:
        facts = None
    if not isinstance(facts, dict):
        raise Refusal(500, "The query can not be read.")
    return facts


def _conditions(clauses: list[Any]) -> int:
    """Count what Autotask counts as OR conditions: members of lists, and leaves of `or`."""
    total = 0
    for each in clauses:
        if each.get("op") in ("in", "notIn"):
            total += len(each.get("value") or [])
        elif "items" in each:
            total += _conditions(each["items"]) + (len(each["items"]) if each.get("op") == "or" else 0)
    return total


def _comparable(value: Any, field: Field) -> Any:
    """Return a value as the database compares it: text in any case, moments as moments. Raise Refusal."""
    if value is None:
        return None
    if field.kind == "boolean":
        if not isinstance(value, bool):
            raise Refusal(500, "A boolean must be true or false.")
        return value
    if field.kind == "integer":
        try:
            return int(value)
        except (ValueError, TypeError):
            raise Refusal(500, f"Conversion failed when converting varchar '{value}' to data type int.") from None
    if field.kind == "datetime":
        at = datetime.fromisoformat(str(value))
        return at if at.tzinfo else at.replace(tzinfo=UTC)
    return str(value).casefold()
