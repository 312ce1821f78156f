"""The form for tickets: for the runs that were on screen, or for jobs of a customer."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response
from sqlalchemy.orm import Session

from functions.http_api.addresses import LARGEST_ID, RowId
from functions.http_api.autotask import another_transaction
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import plural
from functions.http_api.refusals import is_htmx
from functions.http_api.rendering import page
from functions.http_api.tickets.by_number import Fetched, fetch, unknown_numbers
from functions.http_api.tickets.deal import Done, deal_with, suggestion
from functions.http_api.tickets.groups import Tried, chosen_groups, form_groups
from functions.http_api.tickets.meant import PAGE, Meant, MeantHere, Typed, TypedGroup, TypedHere
from functions.http_api.toasts import redirect
from shared import clock
from shared.clients.queues import open_queues
from shared.domain.permissions import Right
from shared.queries.customers import MOST_FOUND, customer, find_customers
from shared.queries.ticket_form import CustomerGroup, jobs_of_customer
from shared.queries.tickets import find_open_tickets
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.kick_errands import kick_errands
from shared.settings import settings

router = APIRouter()
Editor = Annotated[CurrentUser, require(Right.EDIT_TICKETS)]
OptionalId = Annotated[int | None, Query(ge=0, le=LARGEST_ID)]
NOTHING_CHOSEN = "Select at least one run first."
LEFT_OUT = TypedGroup(how="skip")


@router.get("/new")
def start(
    request: Request, db: Db, user: Editor, q: str = "", customer_id: OptionalId = None, job: OptionalId = None
) -> HTMLResponse:
    """Ask for the customer, then for his jobs: there are no runs on screen that tell them."""
    if customer_id is None:
        return choose_customer(request, db, q, what="ticket", path=f"{PAGE}/new")
    return _form(request, db, meant_by(db, customer_id, job), Typed())


@router.post("/new")
def ask(request: Request, db: Db, user: Editor, meant: MeantHere, typed: TypedHere) -> Response:
    """Return the form for the runs that were on screen; for an open page, the form alone."""
    if not meant.run_ids:
        return nothing_chosen(request, meant)
    return _form(request, db, meant, typed)


@router.post("/add")
def add(request: Request, db: Db, user: Editor, meant: MeantHere, typed: TypedHere) -> Response:
    """Do for each customer what his part asks; all of it or nothing."""
    groups = chosen_groups(db, meant)
    if not groups:
        return nothing_chosen(request, meant)
    numbers = unknown_numbers(db, groups, typed)
    if not numbers:
        return _add(request, db, user, meant, typed, fetched={})
    fetched = fetch(db, numbers)
    with another_transaction(request) as after:
        return _add(request, after, user, meant, typed, fetched=fetched)


def _add(request: Request, db: Session, user: CurrentUser, meant: Meant, typed: Typed, *, fetched: Fetched) -> Response:
    groups = chosen_groups(db, meant)
    if not groups:
        return nothing_chosen(request, meant)
    now, done = clock.now(), list[Done]()
    group, own = groups[0], LEFT_OUT
    try:
        with db.begin_nested():
            for group in groups:
                own = typed.of(group.customer_id) or LEFT_OUT
                found = fetched.get(group.customer_id)
                done.append(deal_with(db, group, meant, own, fetched=found, actor=user.actor, now=now))
    except (BadInput, Conflict) as problem:
        return _form(request, db, meant, typed, tried=suggestion(db, group, own, problem))
    if any(each.is_remote for each in done):
        kick_errands(db, open_queues(settings()))
    said = " ".join(each.words for each in done if each.words) or "Nothing was done."
    return answered(request, meant, groups, said)


@router.get("/options/{customer_id}")
def options(request: Request, db: Db, user: Editor, customer_id: RowId) -> HTMLResponse:
    """Return what the field for a ticket offers; the field is called after the customer."""
    typed = request.query_params.get(f"ticket-{customer_id}", "")[:200].replace("\0", "")
    return page(request, "tickets/options.html", options=find_open_tickets(db, customer_id, typed))


def meant_by(db: Db, customer_id: int, job_id: int | None) -> Meant:
    """Return a customer whose jobs are to be chosen, one of them perhaps already. Raise NotFound."""
    if customer(db, customer_id) is None:
        raise NotFound("This customer doesn't exist (any more).")
    jobs = (job_id,) if job_id else ()
    return Meant(customer_id=customer_id, job_ids=jobs, back=f"/jobs/{job_id}" if job_id else PAGE)


def choose_customer(request: Request, db: Db, q: str, *, what: str, path: str) -> HTMLResponse:
    """Return the page that asks whose jobs a ticket or remark is about."""
    options = find_customers(db, q)
    return page(request, "tickets/choose_customer.html", what=what, path=path, q=q, options=options, most=MOST_FOUND)


def nothing_chosen(request: Request, meant: Meant) -> Response:
    if is_htmx(request):
        return JSONResponse({"text": NOTHING_CHOSEN, "jobs": []})
    return redirect(request, meant.back, toast=NOTHING_CHOSEN)


def answered(request: Request, meant: Meant, groups: tuple[CustomerGroup, ...], said: str) -> Response:
    """Say what was done, and of which jobs an open page has to show something else now."""
    if is_htmx(request):
        return JSONResponse({"text": said, "jobs": [job.job_id for group in groups for job in group.jobs]})
    return redirect(request, meant.back, toast=said)


def _form(request: Request, db: Session, meant: Meant, typed: Typed, *, tried: Tried | None = None) -> HTMLResponse:
    groups, choices = form_groups(db, chosen_groups(db, meant), typed, tried=tried)
    if not groups:
        raise NotFound("These runs don't exist (any more).")
    status = 200 if tried is None else 409 if isinstance(tried.refusal, Conflict) else 422
    return page(
        request,
        "tickets/form.html" if is_htmx(request) else "tickets/new.html",
        status=status,
        meant=meant,
        groups=groups,
        choices=choices,
        jobs=jobs_of_customer(db, meant.customer_id) if meant.customer_id is not None else (),
        heading=_heading(groups),
    )


def _heading(groups: tuple[object, ...]) -> str:
    return "Ticket" if len(groups) == 1 else f"{plural(len(groups), 'ticket')}, one for each customer"
