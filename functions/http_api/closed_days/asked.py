"""What the forms of closed days send, and whose days a page is about."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import Form

from functions.http_api.addresses import LARGEST_ID
from functions.http_api.deps import Db
from functions.http_api.formats import ui_zone
from shared import clock
from shared.queries.closed_days import Closable, closable_customer, closable_job
from shared.services.closed_days import Whose
from shared.services.errors import BadInput, NotFound

SOME = "some"


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """What stands in the forms; `whose` is all or some of the customer's jobs, `day` a ticked holiday."""

    first: Annotated[str, Form()] = ""
    last: Annotated[str, Form()] = ""
    name: Annotated[str, Form()] = ""
    whose: Annotated[str, Form()] = "all"
    job: Annotated[list[int], Form(default_factory=list)]
    country: Annotated[str, Form()] = ""
    subdivision: Annotated[str, Form()] = ""
    year: Annotated[str, Form()] = ""
    day: Annotated[list[str], Form(default_factory=list)]

    def of(self, owner: Closable) -> Whose:
        """Return whose days are to be closed. Raise BadInput when no job is ticked."""
        if owner.job_id is not None:
            return Whose(customer_id=owner.customer_id, job_ids=(owner.job_id,))
        if self.whose != SOME:
            return Whose(customer_id=owner.customer_id)
        jobs = tuple(sorted({job_id for job_id in self.job if 0 < job_id <= LARGEST_ID}))
        if not jobs:
            raise BadInput("Tick the jobs that do not run, or choose all of them.", field="whose")
        return Whose(customer_id=owner.customer_id, job_ids=jobs)


def path_of(owner: Closable) -> str:
    if owner.job_id is not None:
        return f"/jobs/{owner.job_id}/closed-days"
    return f"/customers/{owner.customer_id}/closed-days"


def today_of(owner: Closable) -> date:
    return clock.now().astimezone(ZoneInfo(owner.time_zone) if owner.time_zone else ui_zone()).date()


def the_customer(db: Db, customer_id: int) -> Closable:
    if (found := closable_customer(db, customer_id)) is None:
        raise NotFound("This customer doesn't exist (any more).")
    return found


def the_job(db: Db, job_id: int) -> Closable:
    if (found := closable_job(db, job_id)) is None:
        raise NotFound("This job doesn't exist (any more).")
    return found
