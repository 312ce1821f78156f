"""The health of the pipeline on one page: what was read until when, what waits, and which timers live."""

import logging
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.mail_source import mail_source
from functions.http_api.pipeline import signs
from functions.http_api.rendering import page
from shared import clock
from shared.clients.errors import Upstream
from shared.clients.queues import open_queues
from shared.domain.mailflow import Source
from shared.domain.permissions import Right
from shared.domain.queue_message import Queue
from shared.domain.ticket import TicketSource
from shared.queries.errands import ticketing_health
from shared.queries.pipeline import folder_states, heartbeats, import_state, last_reads, waiting
from shared.services.ticketing_breaker import open_breaker
from shared.settings import settings

log = logging.getLogger(__name__)

READS = 20
router = APIRouter(prefix="/manage/pipeline", include_in_schema=False)
Maintainer = Annotated[CurrentUser, require(Right.MAINTAIN)]


@router.get("")
def pipeline_page(request: Request, db: Db, user: Maintainer) -> HTMLResponse:
    now, source = clock.now(), mail_source()
    state, beats, waits = import_state(db, source), heartbeats(db), waiting(db)
    folders = folder_states(db, source.address)
    dots = [signs.read_sign(state, now)]
    if source.source is Source.GRAPH:
        dots.append(signs.notifications_sign(folders, state, now, public_url=settings().public_url))
    dots += [signs.timers_sign(beats, now), signs.waiting_sign(waits, now), signs.dead_letters_sign(waits.dead_letters)]
    ticketing = ticketing_health(db)
    if ticketing.provider is not TicketSource.MANUAL:
        dots.append(signs.ticketing_sign(ticketing, open_breaker(db, settings()), now))
    return page(
        request,
        "pipeline/pipeline.html",
        signs=dots,
        beats=beats,
        folders=folders,
        queued=_queued(),
        reads=last_reads(db, READS),
        source=source,
        state=state,
        waits=waits,
    )


def _queued() -> dict[Queue, int | None]:
    """Return how many messages wait in each queue; None where the queue service does not answer."""
    return {queue: _waiting_in(queue) for queue in Queue}


def _waiting_in(queue: Queue) -> int | None:
    try:
        return open_queues(settings()).waiting(queue)
    except Upstream:
        log.warning("a queue cannot be asked", exc_info=True, extra={"queue": queue.value})
        return None
