"""Import now: asks for a read of the mailbox or mail folder, and shows how it goes on."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse

from functions.http_api.client import safe_next
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.mail_source import mail_source, source_name
from functions.http_api.refusals import is_htmx
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.clients.queues import open_queues
from shared.domain.permissions import Right
from shared.queries.import_progress import ImportProgress, import_progress
from shared.queries.pipeline import import_state
from shared.services.ask_for_import import ask_for_import, asked_at
from shared.settings import settings

router = APIRouter(prefix="/imports", include_in_schema=False)
Worker = Annotated[CurrentUser, require(Right.WORK_INBOX)]

BRISK = timedelta(seconds=30)  # while so young it is looked at every second
UNHEARD = timedelta(seconds=45)  # after which one that nobody took up is said to be late
LONGEST_WATCHED = timedelta(minutes=15)


@router.post("")
def ask(request: Request, db: Db, user: Worker, back: Annotated[str, Form()] = "/inbox") -> Response:
    request_id = ask_for_import(open_queues(settings()), mailbox=settings().graph_mailbox, clock=clock.now)
    if is_htmx(request):
        return _progress(request, db, user, request_id, back)
    return redirect(request, f"/imports/{request_id}?back={safe_next(back)}")


@router.get("/{request_id}")
def progress(request: Request, db: Db, user: Worker, request_id: str, back: str = "/inbox") -> HTMLResponse:
    return _progress(request, db, user, request_id, back)


def _progress(request: Request, db: Db, user: CurrentUser, request_id: str, back: str) -> HTMLResponse:
    asked, now = asked_at(request_id), clock.now()
    found = import_progress(db, request_id)
    rest = None if found else import_state(db, mail_source()).throttled_until
    return page(
        request,
        "import_now/progress.html" if is_htmx(request) else "import_now/page.html",
        request_id=request_id,
        back=safe_next(back),
        found=found,
        source_name=source_name(),
        throttled_until=rest if rest and rest > now else None,
        look_again=_look_again(found, now - asked),
        unheard=found is None and now - asked > UNHEARD,
        sees_pipeline=user.may(Right.MAINTAIN),
    )


def _look_again(found: ImportProgress | None, age: timedelta) -> int:
    """Return after how many seconds the page looks again; 0 when it is over, or lasts too long to stand by."""
    if age > LONGEST_WATCHED or (found is not None and found.is_over):
        return 0
    return 1 if age < BRISK else 3
