"""The companies of many customers at once: suggested where names are the same, and looked after."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from functions.http_api.autotask import NoAnswer, another_transaction, asking_autotask
from functions.http_api.company_mapping.asked import MapsCustomers
from functions.http_api.deps import Db
from functions.http_api.formats import plural
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.db.session import transaction
from shared.domain.company_mapping import companies_by_name
from shared.domain.ticket import MappingState
from shared.domain.ticketing import Company
from shared.queries.company_mapping import mapped_company_ids, unmapped_customers
from shared.services.check_mappings import Checked, check_mappings
from shared.services.imported_companies import is_company_id
from shared.services.map_customers import map_customers

router = APIRouter(prefix="/customers/companies")
PATH = "/customers/companies"
LIST = "/customers"


@router.get("")
def unmapped(request: Request, db: Db, user: MapsCustomers) -> HTMLResponse:
    return page(request, "company_mapping/many.html", customers=unmapped_customers(db), suggested=None, problem="")


@router.post("/suggest")
def suggest(request: Request, db: Db, user: MapsCustomers) -> HTMLResponse:
    companies: Sequence[Company] = ()
    problem = ""
    try:
        with asking_autotask(db) as provider:
            companies = provider.active_companies()
    except NoAnswer as trouble:
        problem = str(trouble)
    with another_transaction(request) as after:
        customers = unmapped_customers(after)
        names = {each.customer_id: each.name for each in customers}
        suggested = companies_by_name(names, companies, taken=mapped_company_ids(after))
        return page(
            request,
            "company_mapping/many.html",
            customers=customers,
            suggested=None if problem else suggested,
            problem=problem,
        )


@router.post("")
def choose(request: Request, db: Db, user: MapsCustomers, pair: Annotated[list[str] | None, Form()] = None) -> Response:
    """Map the ticked pairs of customer and company; each company is asked for once more, as it is now."""
    wanted, actor = _pairs(pair or []), user.actor
    if not wanted:
        return redirect(request, PATH, toast="Nothing was ticked.")
    try:
        with asking_autotask(db) as provider:
            companies = {each.id: each for each in provider.companies(list(wanted.values()))}
    except NoAnswer as problem:
        return redirect(request, PATH, toast=str(problem))
    chosen = {customer: companies[company] for customer, company in wanted.items() if company in companies}
    with transaction() as change:
        done = map_customers(change, chosen, actor=actor, now=clock.now())
    left = [*done.refused, *(["A company is gone from Autotask."] if len(chosen) < len(wanted) else [])]
    toast = f"{plural(done.done, 'customer')} got a company at Autotask."
    return redirect(request, PATH, toast=" ".join([toast, *left[:1]]))


@router.post("/refresh")
def refresh(request: Request, db: Db, user: MapsCustomers) -> Response:
    try:
        with asking_autotask(db) as provider:
            found = check_mappings(provider, now=clock.now())
    except NoAnswer as problem:
        return redirect(request, LIST, toast=str(problem))
    return redirect(request, LIST, toast=_told(found))


def _pairs(texts: Sequence[str]) -> dict[int, str]:
    """Return companies by customers, of `customer:company`; what is neither is left out."""
    pairs = {}
    for text in texts:
        customer, _, company = text.partition(":")
        if is_company_id(customer) and is_company_id(company):
            pairs[int(customer)] = company
    return pairs


def _told(found: Checked) -> str:
    words = {MappingState.RENAMED: "renamed", MappingState.MISSING: "missing", MappingState.INVALID: "not active"}
    parts = [f"{found.states[state]:,} {word}" for state, word in words.items() if found.states.get(state)]
    summary = ", ".join(parts) or "all as they were chosen"
    return f"Looked at {plural(found.total, 'company', 'companies')}: {summary}."
