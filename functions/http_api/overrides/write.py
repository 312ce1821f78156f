"""Writing an override: of what it is about, form, preview, save. Nothing is stored before the preview was seen."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response

from functions.http_api.addresses import LARGEST_ID
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import plural
from functions.http_api.overrides.typed import Sent, carried, draft_of, first_typed
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.override_words import OverrideLevel
from shared.domain.permissions import Right
from shared.domain.typed_override import LONGEST_REASON, LONGEST_TEXT, Mistyped, TypedOverride
from shared.queries.find_jobs import find_jobs
from shared.queries.jobs import softwares
from shared.queries.override_preview import preview_override
from shared.queries.override_suggestion import about_job, suggestion
from shared.services.errors import BadInput, NotAllowed, NotFound
from shared.services.overrides import add_override

router = APIRouter()
Writer = Annotated[CurrentUser, require(Right.EDIT_OVERRIDES)]
Typing = Annotated[Sent, Depends()]


@router.get("/new")
def new(
    request: Request,
    db: Db,
    user: Writer,
    run_id: str = "",
    problem: int = 0,
    job_id: str = "",
    level: str = "",
    q: str = "",
) -> HTMLResponse:
    """Begin with a run's problem, with a job, with all jobs of a product; else with the question which of them."""
    if run_id:
        return _from_run(request, db, user, run_id, problem)
    if level == OverrideLevel.GLOBAL:
        return _form(request, db, user, first_typed(level=level, job_id="", problem=None, now=clock.now()))
    if job_id:
        typed = first_typed(level=OverrideLevel.OBJECT, job_id=job_id, problem=None, now=clock.now())
        return _form(request, db, user, typed)
    return page(request, "overrides/choose.html", q=q, jobs=find_jobs(db, q), may_global=_may_global(user))


@router.post("/new")
def change(request: Request, db: Db, user: Writer, sent: Typing) -> HTMLResponse:
    """Return to the form from its preview."""
    return _form(request, db, user, sent.typed)


@router.post("/preview")
def preview(request: Request, db: Db, user: Writer, sent: Typing) -> HTMLResponse:
    return _preview(request, db, user, sent)


@router.post("/save")
def save(request: Request, db: Db, user: Writer, sent: Typing) -> Response:
    now = clock.now()
    try:
        draft = draft_of(sent.typed, now)
        added = add_override(db, draft, actor=user.actor, may_edit_global=_may_global(user), now=now)
    except Mistyped as problem:
        return _form(request, db, user, sent.typed, errors=problem.errors)
    except BadInput as problem:
        return _form(request, db, user, sent.typed, errors={problem.field or "text": str(problem)})
    said = "Saved the override."
    undo = ""
    if added.runs:
        said += (
            f" {plural(added.runs, 'run')} of the last 90 days {'counts' if added.runs == 1 else 'count'} as success."
        )
        undo = f"/overrides/{added.override_id}/take-back"
    return redirect(request, f"/overrides/{added.override_id}", toast=said, undo=undo)


def _from_run(request: Request, db: Db, user: CurrentUser, run_id: str, number: int) -> HTMLResponse:
    is_id = run_id.isascii() and run_id.isdecimal() and len(run_id) < 20 and int(run_id) <= LARGEST_ID
    found = suggestion(db, int(run_id)) if is_id else None
    if found is None:
        raise NotFound("This run doesn't exist (any more).")
    chosen = found.problems[number] if 0 <= number < len(found.problems) else None
    typed = first_typed(level=OverrideLevel.OBJECT, job_id=str(found.job_id), problem=chosen, now=clock.now())
    return _form(request, db, user, typed, run_id=run_id, problems=found.problems, number=number, chosen=chosen)


def _form(
    request: Request,
    db: Db,
    user: CurrentUser,
    typed: TypedOverride,
    *,
    errors: Mapping[str, str] | None = None,
    **beside: object,
) -> HTMLResponse:
    is_global = typed.level == OverrideLevel.GLOBAL
    if is_global and not _may_global(user):
        raise NotAllowed("Only an administrator makes overrides of all jobs.")
    context = {"run_id": "", "problems": (), "number": 0, "chosen": None, **beside}
    return page(
        request,
        "overrides/form.html",
        status=422 if errors else 200,
        typed=typed,
        is_global=is_global,
        about=None if is_global else _job(db, typed),
        softwares=softwares(db) if is_global else (),
        errors=errors or {},
        longest_text=LONGEST_TEXT,
        longest_reason=LONGEST_REASON,
        **context,
    )


def _preview(request: Request, db: Db, user: CurrentUser, sent: Sent) -> HTMLResponse:
    now = clock.now()
    try:
        draft = draft_of(sent.typed, now)
    except Mistyped as problem:
        return _form(request, db, user, sent.typed, errors=problem.errors)
    if draft.is_global and not _may_global(user):
        raise NotAllowed("Only an administrator makes overrides of all jobs.")
    return page(
        request,
        "overrides/preview.html",
        draft=draft,
        about=None if draft.is_global else _job(db, sent.typed),
        found=preview_override(db, draft, now=now),
        fields=carried(sent.typed),
        afterwards=sent.afterwards,
    )


def _job(db: Db, typed: TypedOverride) -> object:
    text = typed.job_id.strip()
    found = about_job(db, int(text)) if text.isascii() and text.isdecimal() and len(text) < 19 else None
    if found is None:
        raise NotFound("This job doesn't exist (any more).")
    return found


def _may_global(user: CurrentUser) -> bool:
    return user.may(Right.EDIT_GLOBAL_OVERRIDES)
