"""What a form for tickets or remarks is about, and what was typed into it, customer by customer."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from functions.http_api.addresses import as_id
from functions.http_api.client import safe_next
from shared.services.errors import BadInput

PAGE = "/tickets"
LONGEST = {"code": 200, "title": 250, "description": 8_000, "ticket": 200}


@dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """The runs as they were on screen, or jobs of a customer without any; and where the form came from."""

    run_ids: tuple[int, ...] = ()
    customer_id: int | None = None
    job_ids: tuple[int, ...] = ()
    back: str = PAGE

    @property
    def runs(self) -> str:
        return ",".join(str(run_id) for run_id in self.run_ids)


@dataclass(frozen=True, kw_only=True, slots=True)
class TypedGroup:
    """What was typed for one customer. `how` is `new`, `another`, `link`, `link-12` or `skip`; empty at first."""

    how: str = ""
    code: str = ""
    title: str = ""
    description: str = ""
    ticket: str = ""
    queue_id: str = ""
    priority_id: str = ""

    @property
    def linked_id(self) -> int | None:
        """The ticket that was picked among those that were shown."""
        return as_id(self.how.removeprefix("link-")) if self.how.startswith("link-") else None


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """All that was typed; `how` is what the button that opened the form asked for."""

    how: str = ""
    body: str = ""
    by_customer: Mapping[int, TypedGroup] = field(default_factory=dict)

    def of(self, customer_id: int) -> TypedGroup | None:
        return self.by_customer.get(customer_id)


async def _meant(request: Request) -> Meant:
    """`only` are the runs of a button that means fewer of them than are on screen."""
    form = await request.form()

    def words(name: str) -> list[str]:
        return [value for value in form.getlist(name) if isinstance(value, str) and value]

    return Meant(
        run_ids=_ids(words("only") or words("runs")),
        customer_id=next(map(as_id, words("customer")), None),
        job_ids=_ids(words("job")),
        back=safe_next(next(iter(words("back")), PAGE)),
    )


async def _typed(request: Request) -> Typed:
    """Fields are called after the customer: `code-12`."""
    groups: dict[int, dict[str, str]] = {}
    words: dict[str, str] = {"how": "", "body": ""}
    for name, value in (await request.form()).multi_items():
        part, _, customer = name.partition("-")
        if not isinstance(value, str):
            continue
        if name in words:
            words[name] = value.replace("\0", "")
        elif part in TypedGroup.__slots__ and (customer_id := as_id(customer)) is not None:
            groups.setdefault(customer_id, {})[part] = bounded(part, value)
    by_customer = {customer_id: TypedGroup(**typed) for customer_id, typed in groups.items()}
    return Typed(how=words["how"], body=words["body"], by_customer=by_customer)


MeantHere = Annotated[Meant, Depends(_meant)]
TypedHere = Annotated[Typed, Depends(_typed)]


def bounded(part: str, value: str) -> str:
    """Return what was typed into a field as one counts it. Raise BadInput for more than it takes."""
    typed, longest = value.replace("\0", "").replace("\r\n", "\n"), LONGEST.get(part, 64)
    if len(typed) > longest:
        raise BadInput(f"At most {longest:,} characters, please.", field=part)
    return typed


def _ids(values: Iterable[str]) -> tuple[int, ...]:
    """Return ids, which may come with the version of the verdict that was on screen: `12:1,13:1`."""
    found = [as_id(pair.partition(":")[0]) for value in values for pair in value.split(",") if pair]
    if None in found:
        raise BadInput("This page does not say which runs are meant. Reload it and try again.")
    return tuple(dict.fromkeys(each for each in found if each is not None))
