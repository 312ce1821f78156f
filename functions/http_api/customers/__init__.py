"""The customers: list, the choices of a type-ahead, and the forms that add and change one."""

from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import HTMLResponse, Response

from functions.http_api.addresses import ListAddress, RowId
from functions.http_api.customers import csv_file
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import ui_zone
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right
from shared.queries.closed_days import coming_closed_days
from shared.queries.customers import MOST_FOUND, customer, customers, find_customers
from shared.queries.ticketing_settings import uses_autotask
from shared.services.edit_customer import MAX_NAME, MAX_NOTE, TypedCustomer, add_customer, edit_customer, time_zones
from shared.services.errors import BadInput, Conflict, NotFound
from shared.settings import settings

router = APIRouter(prefix="/customers", include_in_schema=False)
router.include_router(csv_file.router)

SeesCustomers = Annotated[CurrentUser, require(Right.SEE_CUSTOMERS)]
EditsCustomers = Annotated[CurrentUser, require(Right.EDIT_CUSTOMERS)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the address asks of the list; `active` is yes, no, or nothing for both, `company` how its mapping is."""

    q: str = ""
    active: str = ""
    company: str = ""
    sort: str = "name"
    page: int = 1

    @property
    def address(self) -> ListAddress:
        filters = {"q": self.q, "active": self.active, "company": self.company}
        return ListAddress(path="/customers", filters=filters, sort="" if self.sort == "name" else self.sort)


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """What stands in the form; an unticked box sends nothing."""

    name: Annotated[str, Form()] = ""
    active: Annotated[bool, Form()] = False
    time_zone: Annotated[str, Form()] = ""
    note: Annotated[str, Form()] = ""
    go_live_on: Annotated[str, Form()] = ""

    @property
    def customer(self) -> TypedCustomer:
        return TypedCustomer(**asdict(self))


@router.get("")
def customer_list(request: Request, db: Db, user: SeesCustomers, asked: Annotated[Asked, Depends()]) -> HTMLResponse:
    found = customers(
        db,
        text=asked.q,
        active={"yes": True, "no": False}.get(asked.active),
        company=asked.company,
        sort=asked.sort.removeprefix("-"),
        descending=asked.sort.startswith("-"),
        page=asked.page,
    )
    return page(
        request,
        "customers/list.html",
        asked=asked,
        customers=found,
        edits=user.may(Right.EDIT_CUSTOMERS),
        shows_companies=_shows_companies(db),
    )


@router.get("/options")
def customer_options(request: Request, db: Db, user: SeesCustomers, q: str = "") -> HTMLResponse:
    return page(request, "customers/options.html", options=find_customers(db, q), most=MOST_FOUND, q=q)


@router.get("/new")
def new_customer(request: Request, db: Db, user: EditsCustomers, name: str = "") -> HTMLResponse:
    return _form(request, db, Typed(name=name, active=True))


@router.post("")
def add(request: Request, db: Db, user: EditsCustomers, typed: Annotated[Typed, Depends()]) -> Response:
    try:
        added = add_customer(db, typed.customer, actor=user.actor, now=clock.now())
    except (BadInput, Conflict) as problem:
        return _form(request, db, typed, problem=problem)
    return redirect(request, "/customers", toast=f"Added {added.name}.")


@router.get("/{customer_id}")
def change_customer(request: Request, db: Db, user: EditsCustomers, customer_id: RowId) -> HTMLResponse:
    if (known := customer(db, customer_id)) is None:
        raise NotFound("This customer doesn't exist (any more).")
    typed = Typed(
        name=known.name,
        active=known.active,
        time_zone=known.time_zone or "",
        note=known.note,
        go_live_on=known.go_live_on.isoformat() if known.go_live_on else "",
    )
    return _form(request, db, typed, customer_id=customer_id)


@router.post("/{customer_id}")
def change(
    request: Request, db: Db, user: EditsCustomers, customer_id: RowId, typed: Annotated[Typed, Depends()]
) -> Response:
    try:
        changed = edit_customer(db, customer_id, typed.customer, actor=user.actor, now=clock.now())
    except (BadInput, Conflict) as problem:
        return _form(request, db, typed, customer_id=customer_id, problem=problem)
    return redirect(request, "/customers", toast=f"Saved {changed.name}.")


def _shows_companies(db: Db) -> bool:
    """Return whether there is a ticketing system in which customers are companies, or may soon be."""
    return settings().has_autotask or uses_autotask(db)


def _form(
    request: Request,
    db: Db,
    typed: Typed,
    *,
    customer_id: int | None = None,
    problem: BadInput | Conflict | None = None,
) -> HTMLResponse:
    field = getattr(problem, "field", None) or "name"
    today = clock.now().astimezone(ui_zone()).date()
    return page(
        request,
        "customers/form.html",
        status=200 if problem is None else 409 if isinstance(problem, Conflict) else 422,
        typed=typed,
        customer_id=customer_id,
        shows_company=customer_id is not None and _shows_companies(db),
        closed_days=coming_closed_days(db, customer_id, today) if customer_id is not None else 0,
        errors={field: str(problem)} if problem else {},
        zones=sorted(name for name in time_zones() if "/" in name and not name.startswith("Etc/")),
        longest_name=MAX_NAME,
        longest_note=MAX_NOTE,
    )
