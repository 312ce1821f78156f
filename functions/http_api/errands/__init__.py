"""What is under way to the ticketing system: people send it again, or give it up. Asks the database alone."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import HTMLResponse

from functions.http_api.addresses import LARGEST_ID, ListAddress
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.clients.queues import open_queues
from shared.domain.permissions import Right
from shared.domain.queue_message import TicketTask
from shared.queries.errands import last_calls, open_errand, open_errands, ticketing_health
from shared.services.errors import NotFound
from shared.services.kick_errands import kick_errands
from shared.services.settle_errand import Cancelled, cancel_errand, retry_errand
from shared.services.ticketing_breaker import open_breaker
from shared.settings import settings

PATH = "/manage/errands"
CALLS = 50
router = APIRouter(prefix=PATH, include_in_schema=False)
Maintainer = Annotated[CurrentUser, require(Right.MAINTAIN)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """The errand that was chosen, and whether what that means was confirmed."""

    errand: Annotated[int, Form(ge=0, le=LARGEST_ID)]
    confirmed: Annotated[bool, Form()] = False


Chosen = Annotated[Sent, Depends()]
MEANS = {
    Cancelled.REMOVED: "Cancelled. The ticket was never made, and is gone here too.",
    Cancelled.WITHDRAWN: "It is looked for once more; when it was not made, it goes.",
    Cancelled.REOPENED: "Cancelled. It is open here again, as it is over there.",
    Cancelled.DROPPED: "Cancelled. The ticket stays as it is over there.",
}


@router.get("")
def errand_list(
    request: Request, db: Db, user: Maintainer, page_number: Annotated[int, Query(alias="page")] = 1
) -> HTMLResponse:
    return page(
        request,
        "errands/list.html",
        found=open_errands(db, page_number),
        health=ticketing_health(db),
        breaker=open_breaker(db, settings()),
        calls=last_calls(db, CALLS),
        address=ListAddress(path=PATH),
    )


@router.post("/retry")
def retry(request: Request, db: Db, user: Maintainer, sent: Chosen) -> Response:
    row = open_errand(db, sent.errand)
    if row is not None and row.is_lost and not sent.confirmed:
        return page(request, "errands/retry.html", errand=row)
    retry_errand(db, sent.errand, actor=user.actor, now=clock.now())
    kick_errands(db, open_queues(settings()))
    toast = "It is looked for at once." if row is not None and row.is_withdrawn else "It is sent again at once."
    return redirect(request, PATH, toast=toast)


@router.post("/cancel")
def cancel(request: Request, db: Db, user: Maintainer, sent: Chosen) -> Response:
    if not sent.confirmed:
        row = open_errand(db, sent.errand)
        if row is None:
            raise NotFound("There is no such errand (any more).")
        return page(request, "errands/cancel.html", errand=row)
    means = cancel_errand(db, sent.errand, actor=user.actor, now=clock.now())
    kick_errands(db, open_queues(settings()))
    return redirect(request, PATH, toast=MEANS[means])


@router.post("/poll-anyway")
def poll_anyway(request: Request, db: Db, user: Maintainer) -> Response:
    kick_errands(db, open_queues(settings()), TicketTask.POLL_ANYWAY)
    return redirect(request, PATH, toast="The tickets are looked up again, however many are out of sight.")
