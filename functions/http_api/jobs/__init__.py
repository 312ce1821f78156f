"""The jobs of all customers or of one, and the page of a job."""

from dataclasses import dataclass
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import HTMLResponse

from functions.http_api.addresses import LARGEST_ID, ListAddress, RowId
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import ui_zone
from functions.http_api.jobs import actions, schedule_decide, schedule_edit, schedule_pause
from functions.http_api.jobs.slots import in_words
from functions.http_api.rendering import page
from shared import clock
from shared.domain.permissions import Right
from shared.domain.reading import Kind
from shared.queries.customers import customer
from shared.queries.job_detail import job_detail, job_runs
from shared.queries.job_schedule import job_schedule
from shared.queries.job_strip import job_strip
from shared.queries.jobs import JobFilters, jobs, softwares
from shared.queries.open_on_jobs import NOTHING_OPEN, open_on_jobs
from shared.queries.run_tickets import tickets_of_runs
from shared.services.errors import NotFound

router = APIRouter(prefix="/jobs", include_in_schema=False)
router.include_router(actions.router)
router.include_router(schedule_pause.router)
router.include_router(schedule_edit.router)
router.include_router(schedule_decide.router)

SeesJobs = Annotated[CurrentUser, require(Right.SEE_JOBS)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the address asks of the list."""

    q: str = ""
    software: str = ""
    customer_id: Annotated[int | None, Query(ge=0, le=LARGEST_ID)] = None
    sort: str = "customer"
    page: int = 1

    @property
    def filters(self) -> JobFilters:
        return JobFilters(
            customer_id=self.customer_id,
            software=self.software,
            text=self.q,
            sort=self.sort.removeprefix("-"),
            descending=self.sort.startswith("-"),
        )

    @property
    def address(self) -> ListAddress:
        filters = {"customer_id": self.customer_id, "q": self.q, "software": self.software}
        return ListAddress(path="/jobs", filters=filters, sort="" if self.sort == "customer" else self.sort)


@router.get("")
def job_list(request: Request, db: Db, user: SeesJobs, asked: Annotated[Asked, Depends()]) -> HTMLResponse:
    of_one = None
    if asked.customer_id is not None and (of_one := customer(db, asked.customer_id)) is None:
        raise NotFound("This customer doesn't exist (any more).")
    found = jobs(db, asked.filters, asked.page)
    return page(
        request,
        "jobs/list.html",
        asked=asked,
        customer=of_one,
        jobs=found,
        softwares=[(name, name) for name in softwares(db)],
        edits_customers=user.may(Right.EDIT_CUSTOMERS),
    )


@router.get("/{job_id}")
def job_page(
    request: Request, db: Db, user: SeesJobs, job_id: RowId, number: Annotated[int, Query(alias="page")] = 1
) -> HTMLResponse:
    if (job := job_detail(db, job_id)) is None:
        raise NotFound("This job doesn't exist (any more).")
    now = clock.now()
    zone = ZoneInfo(job.time_zone) if job.time_zone else ui_zone()
    schedule = job_schedule(db, job_id, now=now)
    runs = job_runs(db, job_id, number)
    return page(
        request,
        "jobs/detail.html",
        job=job,
        schedule=schedule,
        slots_in_words=in_words(schedule.slots) if schedule else "",
        is_watched=job.row.kind is Kind.REGULAR,
        days=job_strip(db, job_id, now.astimezone(zone).date(), zone),
        runs=runs,
        tickets=tickets_of_runs(db, [run.run_id for run in runs.rows]),
        open=open_on_jobs(db, [job_id]).get(job_id, NOTHING_OPEN),
        may_ticket=user.may(Right.EDIT_TICKETS),
        address=ListAddress(path=f"/jobs/{job_id}", place="runs"),
        may=actions.Allowed.to(user),
        archive_words=actions.ARCHIVE_WORDS,
    )
