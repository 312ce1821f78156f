"""Chooses the folders that are read. The mailbox is asked for its folders on request only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import HTMLResponse
from sqlalchemy.orm import Session

from functions.http_api.autotask import another_transaction
from functions.http_api.deps import Db
from functions.http_api.formats import plural
from functions.http_api.mail_settings.asked import PATH, Keeper
from functions.http_api.refusals import is_htmx
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.clients.errors import Upstream
from shared.clients.graph_mailbox import Folder
from shared.db.session import transaction
from shared.queries.mail_settings import mail_settings
from shared.queries.pipeline import folder_states
from shared.services.choose_folders import choose_folders, id_to_read
from shared.services.errors import BadInput, Conflict
from shared.settings import BadSetting, settings

router = APIRouter(prefix="/folders")


class NoList(Exception):
    """The mailbox did not tell its folders; the message says why, `status` whose fault it is."""

    def __init__(self, sentence: str, *, status: int) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True, kw_only=True, slots=True)
class Choice:
    """A folder in the list. `note` says why it cannot be chosen."""

    value: str
    path: str
    total: int | None
    is_chosen: bool
    note: str = ""


@router.get("")
def list_folders(request: Request, db: Db, user: Keeper) -> HTMLResponse:
    there: Sequence[Folder] = ()
    said, status = "", 200
    try:
        there = _there(db)
    except NoList as problem:
        said, status = str(problem), problem.status
    with another_transaction(request) as after:
        return _page(request, after, there, problem=said, status=status)


@router.post("")
def choose(request: Request, db: Db, user: Keeper, folder: Annotated[list[str] | None, Form()] = None) -> Response:
    chosen, mailbox, actor = set(folder or ()), settings().graph_mailbox, user.actor
    there: Sequence[Folder] = ()
    try:
        there = _there(db)
        with transaction() as change:
            changed = choose_folders(change, mailbox, chosen, there=there, actor=actor, now=clock.now())
    except (NoList, BadInput, Conflict) as problem:
        with another_transaction(request) as after:
            return _page(request, after, there, chosen=chosen, problem=str(problem), status=422)
    toast = f"{plural(len(chosen), 'folder')} will be read from now on." if changed else "Nothing was changed."
    return redirect(request, PATH, toast=toast)


def _there(db: Session) -> list[Folder]:
    """Return the folders of the mailbox. Ends the transaction of the request. Raise NoList."""
    from shared.clients.graph import open_mailbox  # the library behind it is heavy

    db.commit()  # nothing is held while Graph takes its time
    if not settings().graph_mailbox:
        raise NoList("No mailbox is set: GRAPH_MAILBOX is empty.", status=409)
    try:
        return open_mailbox(settings()).folders()
    except BadSetting as problem:
        raise NoList(str(problem), status=409) from problem
    except Upstream as problem:
        raise NoList(str(problem), status=502) from problem


def _page(
    request: Request,
    db: Session,
    there: Sequence[Folder],
    *,
    chosen: set[str] | None = None,
    problem: str = "",
    status: int = 200,
) -> HTMLResponse:
    template = "mail_settings/folder_list.html" if is_htmx(request) else "mail_settings/folders.html"
    return page(
        request,
        template,
        # htmx swaps in what is asked for by a click, also when it tells of trouble
        status=200 if is_htmx(request) else status,
        choices=_choices(db, there, chosen),
        problem=problem,
        mailbox=settings().graph_mailbox,
    )


def _choices(db: Session, there: Sequence[Folder], chosen: set[str] | None) -> list[Choice]:
    known, in_force = folder_states(db, settings().graph_mailbox), mail_settings(db)
    read = {folder.graph_id for folder in known if folder.active} if known else {"inbox"}
    taken = in_force.processed_folder.casefold() if in_force.move_processed else None
    return [_choice(folder, chosen if chosen is not None else read, taken) for folder in there] + [
        _gone(folder.graph_id, folder.path)
        for folder in known
        if there and folder.active and folder.graph_id not in {id_to_read(each) for each in there}
    ]


def _choice(folder: Folder, chosen: set[str], taken: str | None) -> Choice:
    value = id_to_read(folder)
    note = "imported mails are moved here" if folder.path.casefold() == taken else ""
    return Choice(value=value, path=folder.path, total=folder.total, is_chosen=value in chosen and not note, note=note)


def _gone(value: str, path: str) -> Choice:
    note = "not in the mailbox any more: it is no longer read once you save"
    return Choice(value=value, path=path, total=None, is_chosen=False, note=note)
