"""Tests the connection to the mailbox on request, and tells each step in words."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse

from functions.http_api.autotask import another_transaction
from functions.http_api.deps import Db
from functions.http_api.mail_settings.asked import Keeper
from functions.http_api.refusals import is_htmx
from functions.http_api.rendering import page
from shared.queries.mail_settings import mail_settings
from shared.queries.pipeline import folder_states
from shared.settings import settings

router = APIRouter(prefix="/test")


@router.post("")
def check_connection(request: Request, db: Db, user: Keeper, other: Annotated[str, Form()] = "") -> HTMLResponse:
    from shared.clients.graph_check import INBOX, try_connection  # the client behind it is heavy

    read = {each.graph_id: each.path for each in folder_states(db, settings().graph_mailbox) if each.active}
    moves = mail_settings(db).move_processed
    db.commit()  # nothing is held while Graph takes its time
    steps = try_connection(settings(), folders=read or INBOX, moves=moves, other_address=other.strip() or None)
    template = "mail_settings/test_result.html" if is_htmx(request) else "mail_settings/test.html"
    with another_transaction(request):
        return page(request, template, steps=steps, other=other)
