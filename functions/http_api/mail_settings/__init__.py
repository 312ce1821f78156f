"""The settings of the mail import: how it does, what it does, and which folders it reads."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse

from functions.http_api.deps import Db
from functions.http_api.mail_settings import check, folders
from functions.http_api.mail_settings.asked import PATH, Keeper
from functions.http_api.mail_settings.state import mail_state
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.queries.mail_settings import mail_settings
from shared.services.edit_settings import TypedMailSettings, UnfitSettings, edit_mail_settings

router = APIRouter(prefix=PATH, include_in_schema=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """What stands in the form; an unticked box sends nothing."""

    import_enabled: Annotated[bool, Form()] = False
    import_interval_minutes: Annotated[str, Form()] = ""
    import_batch: Annotated[str, Form()] = ""
    manual_batch: Annotated[str, Form()] = ""
    move_processed: Annotated[bool, Form()] = False
    processed_folder: Annotated[str, Form()] = ""
    raw_days: Annotated[str, Form()] = ""
    mail_lookback_days: Annotated[str, Form()] = ""

    @property
    def settings(self) -> TypedMailSettings:
        return TypedMailSettings(**{field: getattr(self, field) for field in TypedMailSettings.__dataclass_fields__})


@router.get("")
def mail_settings_page(request: Request, db: Db, user: Keeper) -> HTMLResponse:
    return _page(request, db, mail_settings(db))


@router.post("")
def save(request: Request, db: Db, user: Keeper, typed: Annotated[Typed, Depends()]) -> Response:
    try:
        changed = edit_mail_settings(db, typed.settings, actor=user.actor, now=clock.now())
    except UnfitSettings as problem:
        return _page(request, db, typed, problem=problem)
    return redirect(request, PATH, toast="Settings saved." if changed else "Nothing was changed.")


def _page(request: Request, db: Db, shown: object, problem: UnfitSettings | None = None) -> HTMLResponse:
    return page(
        request,
        "mail_settings/mail.html",
        status=422 if problem else 200,
        state=mail_state(db, clock.now()),
        typed=shown,
        in_force=mail_settings(db),
        errors=problem.errors if problem else {},
        problem=str(problem) if problem else "",
    )


for part in (check, folders):
    router.include_router(part.router)
