"""Settings, notifications: whom alarms are told, and the alarms there were."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from functions.http_api.addresses import ListAddress, RowId
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.clients.notify import Notifier
from shared.domain.alarm import TargetKind
from shared.domain.permissions import Right
from shared.queries.alarms import alarm_target, alarm_targets, alarms, open_alarm_count
from shared.services.alarm_targets import add_target, delete_target, send_test, switch_target
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.secret_box import SecretLost
from shared.settings import settings

PATH = "/manage/settings/notifications"
PLACE = "alarms"
router = APIRouter(prefix=PATH, include_in_schema=False)
Keeper = Annotated[CurrentUser, require(Right.MANAGE_SETTINGS)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Typed:
    """What stands in the form of a new target."""

    name: Annotated[str, Form()] = ""
    kind: Annotated[str, Form()] = ""
    address: Annotated[str, Form()] = ""


@router.get("")
def notifications(
    request: Request, db: Db, user: Keeper, number: Annotated[int, Query(alias="page")] = 1
) -> HTMLResponse:
    return page(
        request,
        "notifications/list.html",
        targets=alarm_targets(db),
        alarms=alarms(db, number),
        open_alarms=open_alarm_count(db),
        address=ListAddress(path=PATH, place=PLACE),
        place=PLACE,
    )


@router.get("/new")
def new_target(request: Request, db: Db, user: Keeper) -> HTMLResponse:
    return _form(request, Typed(kind=TargetKind.TEAMS.value))


@router.post("")
def add(request: Request, db: Db, user: Keeper, typed: Annotated[Typed, Depends()]) -> Response:
    try:
        added = add_target(db, typed.name, kind=typed.kind, address=typed.address, actor=user.actor, now=clock.now())
    except (BadInput, Conflict, SecretLost) as problem:
        return _form(request, typed, problem=problem)
    return redirect(request, PATH, toast=f"Added {added.name}. Send a test to see whether it arrives.")


@router.post("/{target_id}/test")
def test(request: Request, db: Db, user: Keeper, target_id: RowId) -> Response:
    notifier = Notifier(production=settings().is_production)
    sent = send_test(db, target_id, notifier, actor=user.actor, now=clock.now())
    if sent.trouble:
        return redirect(request, PATH, toast=f"The test did not reach {sent.name}. {sent.trouble}")
    return redirect(request, PATH, toast=f"The test reached {sent.name}.")


@router.post("/{target_id}/switch-off")
def switch_off(request: Request, db: Db, user: Keeper, target_id: RowId) -> Response:
    target = switch_target(db, target_id, active=False, actor=user.actor, now=clock.now())
    toast = f"Switched off {target.name}. It is told nothing any more."
    return redirect(request, PATH, toast=toast, undo=f"{PATH}/{target_id}/switch-on")


@router.post("/{target_id}/switch-on")
def switch_on(request: Request, db: Db, user: Keeper, target_id: RowId) -> Response:
    target = switch_target(db, target_id, active=True, actor=user.actor, now=clock.now())
    return redirect(request, PATH, toast=f"Switched on {target.name}.")


@router.get("/{target_id}/delete")
def ask_to_delete(request: Request, db: Db, user: Keeper, target_id: RowId) -> HTMLResponse:
    if (target := alarm_target(db, target_id)) is None:
        raise NotFound("This target doesn't exist (any more).")
    return page(request, "notifications/delete.html", target=target)


@router.post("/{target_id}/delete")
def delete(request: Request, db: Db, user: Keeper, target_id: RowId) -> Response:
    name = delete_target(db, target_id, actor=user.actor, now=clock.now())
    return redirect(request, PATH, toast=f"Deleted {name}.")


def _form(request: Request, typed: Typed, *, problem: BadInput | Conflict | SecretLost | None = None) -> HTMLResponse:
    field = getattr(problem, "field", None) or ("address" if isinstance(problem, SecretLost) else "name")
    return page(
        request,
        "notifications/form.html",
        status=200 if problem is None else 409 if isinstance(problem, Conflict) else 422,
        typed=typed,
        errors={field: str(problem)} if problem else {},
    )
