"""Tickets & Remarks: what is being worked on, and notes that need no ticket."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse

from functions.http_api.addresses import ListAddress, as_id
from functions.http_api.deps import Db
from functions.http_api.rendering import page
from functions.http_api.tickets import detail, make, remarks
from functions.http_api.tickets.detail import Reader
from functions.http_api.tickets.meant import PAGE
from functions.http_api.tickets.remarks import REMARKS
from shared.domain.permissions import Right
from shared.queries.remarks import open_remarks_count, remarked_customers
from shared.queries.remarks import remarks as remark_list
from shared.queries.tickets import Standing, TicketFilters, open_tickets_count, ticketed_customers, tickets

router = APIRouter(prefix=PAGE, include_in_schema=False)
STANDINGS = {"": Standing.OPEN, **{standing.value: standing for standing in Standing}, "all": None}
NEWEST_FIRST = "-since"


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the address asks of a list; without a state it is of what is open."""

    q: str = ""
    state: str = ""
    customer: str = ""
    sort: str = NEWEST_FIRST
    page: int = 1

    @property
    def customer_id(self) -> int | None:
        return as_id(self.customer)

    @property
    def filters(self) -> TicketFilters:
        return TicketFilters(
            standing=STANDINGS.get(self.state, Standing.OPEN),
            customer_id=self.customer_id,
            text=self.q,
            sort=self.sort.removeprefix("-"),
            descending=self.sort.startswith("-"),
        )

    def address(self, path: str) -> ListAddress:
        filters = {"q": self.q, "state": self.state, "customer": self.customer_id}
        return ListAddress(path=path, filters=filters, sort="" if self.sort == NEWEST_FIRST else self.sort)


AskedFor = Annotated[Asked, Depends()]


@router.get("")
def ticket_list(request: Request, db: Db, user: Reader, asked: AskedFor) -> HTMLResponse:
    return page(
        request,
        "tickets/list.html",
        found=tickets(db, asked.filters, asked.page),
        customers=ticketed_customers(db),
        **_shared(db, user, asked, PAGE),
    )


@router.get("/remarks")
def remarks_list(request: Request, db: Db, user: Reader, asked: AskedFor) -> HTMLResponse:
    return page(
        request,
        "tickets/remarks.html",
        found=remark_list(db, asked.filters, asked.page),
        customers=remarked_customers(db),
        **_shared(db, user, asked, REMARKS),
    )


def _shared(db: Db, user: Reader, asked: Asked, path: str) -> dict[str, Any]:
    return {
        "asked": asked,
        "address": asked.address(path),
        "counts": {"tickets": open_tickets_count(db), "remarks": open_remarks_count(db)},
        "may_edit": user.may(Right.EDIT_TICKETS),
    }


for part in (remarks, make, detail):  # the last one takes any number for a ticket
    router.include_router(part.router)
