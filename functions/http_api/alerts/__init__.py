"""The tickets and remarks of a run as JSON."""

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from functions.http_api.addresses import RowId
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import ui_zone
from shared.domain.permissions import Right
from shared.queries.alerts import Because, RemarkAlert, TicketAlert, alerts_of_run
from shared.services.errors import NotFound

router = APIRouter()


class TicketOfRun(BaseModel):
    """A ticket that concerns the run."""

    id: int
    code: str | None = Field(description="Missing while the ticketing system makes the ticket.")
    description: str
    active_from: date
    resolved_at: datetime | None = Field(description="For the job of the run, or for all jobs of the ticket.")
    source: Because = Field(description="Linked to the run, or open on its job since the day of the run or before.")
    autotask_number: str | None

    @classmethod
    def of(cls, ticket: TicketAlert) -> "TicketOfRun":
        return cls(
            id=ticket.ticket_id,
            code=ticket.code,
            description=ticket.description,
            active_from=ticket.active_from,
            resolved_at=ticket.resolved_at,
            source=ticket.because,
            autotask_number=ticket.autotask_number,
        )


class RemarkOfRun(BaseModel):
    """A remark that is linked to the run."""

    id: int
    body: str
    resolved_at: datetime | None

    @classmethod
    def of(cls, remark: RemarkAlert) -> "RemarkOfRun":
        return cls(id=remark.remark_id, body=remark.body, resolved_at=remark.resolved_at)


class AlertsOfRun(BaseModel):
    """Newest first, what is over last."""

    tickets: list[TicketOfRun]
    remarks: list[RemarkOfRun]


@router.get("/api/job-runs/{run_id}/alerts", tags=["runs"])
def alerts(db: Db, user: Annotated[CurrentUser, require(Right.SEE_RUN_CHECKS)], run_id: RowId) -> AlertsOfRun:
    """Return the tickets and remarks that concern a run."""
    found = alerts_of_run(db, run_id, ui_zone())
    if found is None:
        raise NotFound("This run doesn't exist (any more).")
    return AlertsOfRun(
        tickets=[TicketOfRun.of(ticket) for ticket in found.tickets],
        remarks=[RemarkOfRun.of(remark) for remark in found.remarks],
    )
