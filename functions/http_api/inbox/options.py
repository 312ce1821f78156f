"""What a type-ahead offers: customers to approve for, jobs to attach to."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse

from functions.http_api.deps import Db
from functions.http_api.inbox.asked import Worker
from functions.http_api.rendering import page
from shared.queries.customers import find_customers
from shared.queries.find_jobs import MOST_FOUND, find_jobs

router = APIRouter()
LONGEST = 200


@router.get("/customer-options")
def customer_options(
    request: Request, db: Db, user: Worker, customer: Annotated[str, Query(max_length=LONGEST)] = ""
) -> HTMLResponse:
    return page(request, "inbox/customer_options.html", options=find_customers(db, customer))


@router.get("/job-options")
def job_options(
    request: Request, db: Db, user: Worker, job_q: Annotated[str, Query(max_length=LONGEST)] = ""
) -> HTMLResponse:
    return page(request, "inbox/job_options.html", jobs=find_jobs(db, job_q), job_q=job_q, chosen=0, most=MOST_FOUND)
