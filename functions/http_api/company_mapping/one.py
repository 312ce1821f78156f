"""The company of one customer. Autotask is asked when somebody searches, chooses or refreshes, and else never."""

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from functions.http_api.addresses import RowId
from functions.http_api.autotask import NoAnswer, another_transaction, asking_autotask
from functions.http_api.company_mapping.asked import MapsCustomers, company_of
from functions.http_api.deps import Db
from functions.http_api.refusals import is_htmx
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.db.session import transaction
from shared.domain.ticket import MappingState
from shared.domain.ticketing import Company
from shared.queries.company_mapping import MappedCustomer, mapped_customer, owners_of
from shared.queries.ticketing_settings import uses_autotask
from shared.services.check_mappings import check_mappings
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.map_customers import accept_name, clear_mapping, map_customer

router = APIRouter(prefix="/customers/{customer_id}/autotask")
Text = Annotated[str, Form()]

FOUND = {
    MappingState.OK: "well again",
    MappingState.RENAMED: "renamed",
    MappingState.MISSING: "missing",
    MappingState.INVALID: "not active any more",
}


@router.get("")
def company_page(request: Request, db: Db, user: MapsCustomers, customer_id: RowId) -> HTMLResponse:
    return _page(request, db, _customer(db, customer_id))


@router.get("/search")
def search(request: Request, db: Db, user: MapsCustomers, customer_id: RowId, q: str = "") -> HTMLResponse:
    customer, found, problem = _customer(db, customer_id), [], ""
    try:
        with asking_autotask(db) as provider:
            found = provider.search_companies(q)
    except NoAnswer as trouble:
        problem = str(trouble)
    with another_transaction(request) as after:
        return _page(request, after, customer, q=q, found=found, problem=problem)


@router.post("")
def choose(
    request: Request, db: Db, user: MapsCustomers, customer_id: RowId, company_id: Text = "", q: Text = ""
) -> Response:
    customer, actor = _customer(db, customer_id), user.actor
    try:
        with asking_autotask(db) as provider:
            company = company_of(provider, company_id.strip())
        with transaction() as change:
            map_customer(change, customer_id, company, actor=actor, now=clock.now())
    except (NoAnswer, BadInput, Conflict) as problem:
        with another_transaction(request) as after:
            status = 409 if isinstance(problem, Conflict) else 422
            return _page(request, after, customer, q=q, problem=str(problem), status=status)
    return redirect(request, _path(customer_id), toast=f"{customer.name} is {company.name} at Autotask.")


@router.post("/refresh")
def refresh(request: Request, db: Db, user: MapsCustomers, customer_id: RowId) -> Response:
    _customer(db, customer_id)
    try:
        with asking_autotask(db) as provider:
            found = check_mappings(provider, now=clock.now(), customer_ids=[customer_id])
    except NoAnswer as problem:
        return redirect(request, _path(customer_id), toast=str(problem))
    news = next((FOUND[state] for state in found.states), "cleared meanwhile")
    toast = f"The company is {news}." if found.changed else "Nothing has changed at Autotask."
    return redirect(request, _path(customer_id), toast=toast)


@router.post("/accept")
def accept(request: Request, db: Db, user: MapsCustomers, customer_id: RowId, name: Text = "") -> Response:
    accept_name(db, customer_id, name, actor=user.actor, now=clock.now())
    return redirect(request, _path(customer_id), toast="The new name is accepted.")


@router.post("/clear")
def clear(request: Request, db: Db, user: MapsCustomers, customer_id: RowId) -> Response:
    name = clear_mapping(db, customer_id, actor=user.actor, now=clock.now())
    return redirect(request, _path(customer_id), toast=f"{name} has no company at Autotask any more.")


def _page(
    request: Request,
    db: Session,
    customer: MappedCustomer,
    *,
    q: str | None = None,
    found: list[Company] | None = None,
    problem: str = "",
    status: int = 200,
) -> HTMLResponse:
    is_part = is_htmx(request) and found is not None
    return page(
        request,
        "company_mapping/results.html" if is_part else "company_mapping/one.html",
        status=200 if is_part else status,
        customer=customer,
        q=customer.name if q is None else q,
        found=found,
        owners=owners_of(db, [each.id for each in found or ()]),
        problem=problem,
        is_used=uses_autotask(db),
    )


def _customer(db: Session, customer_id: int) -> MappedCustomer:
    if (found := mapped_customer(db, customer_id)) is None:
        raise NotFound("This customer doesn't exist (any more).")
    return found


def _path(customer_id: int) -> str:
    return f"/customers/{customer_id}/autotask"
