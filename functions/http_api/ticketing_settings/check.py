"""Tests the connection to Autotask on request, and tells each step in words. What works closes the breaker."""

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from functions.http_api.autotask import another_transaction
from functions.http_api.deps import Db
from functions.http_api.refusals import is_htmx
from functions.http_api.rendering import page
from functions.http_api.ticketing_settings.asked import Keeper
from functions.http_api.ticketing_settings.view import now_of
from shared import clock
from shared.services.record_call import record_call
from shared.services.ticketing_breaker import DatabaseBreaker
from shared.services.ticketing_settings import keep_test
from shared.settings import settings

router = APIRouter(prefix="/test")


@router.post("")
def check_connection(request: Request, db: Db, user: Keeper) -> HTMLResponse:
    from shared.clients.autotask_check import try_connection  # loads an HTTP library

    db.commit()  # nothing is held while Autotask takes its time
    steps = try_connection(settings(), breaker=DatabaseBreaker(settings()), record=record_call)
    template = "ticketing_settings/test_result.html" if is_htmx(request) else "ticketing_settings/test.html"
    with another_transaction(request) as after:
        keep_test(after, steps, settings(), now=clock.now())
        return page(request, template, steps=steps, system=now_of(after))
