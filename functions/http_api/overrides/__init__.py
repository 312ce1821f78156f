"""Overrides: the list, one of them, and what is done with it. write.py makes new ones."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import HTMLResponse, Response

from functions.http_api.addresses import ListAddress, RowId
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import plural, ui_zone
from functions.http_api.overrides import write
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.override_words import OverrideLevel
from shared.domain.permissions import Right
from shared.domain.typed_override import Mistyped, last_day, usual_last_day
from shared.queries.overrides import (
    OverrideFilters,
    OverrideRow,
    OverrideTab,
    overridden_runs,
    override_counts,
    override_detail,
    overrides,
)
from shared.services.errors import BadInput, NotFound
from shared.services.overrides import delete_override, end_override, extend_override, take_back_afterwards

PATH = "/overrides"
router = APIRouter(prefix=PATH, include_in_schema=False)
router.include_router(write.router)
Reader = Annotated[CurrentUser, require(Right.SEE_OVERRIDES)]
Editor = Annotated[CurrentUser, require(Right.EDIT_OVERRIDES)]
Deleter = Annotated[CurrentUser, require(Right.DELETE_OVERRIDES)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Asked:
    """What the address asks of the list. What isn't there is the first tab, or no filter."""

    tab: str = ""
    q: str = ""
    level: str = ""
    page: int = 1

    @property
    def shown(self) -> OverrideTab:
        return OverrideTab(self.tab) if self.tab in set(OverrideTab) else OverrideTab.ACTIVE

    @property
    def filters(self) -> OverrideFilters:
        return OverrideFilters(
            text=self.q, level=OverrideLevel(self.level) if self.level in ("global", "object") else None
        )

    @property
    def address(self) -> ListAddress:
        tab = "" if self.shown is OverrideTab.ACTIVE else self.shown.value
        return ListAddress(path=PATH, filters={"tab": tab, "q": self.q, "level": self.level})


@router.get("")
def override_list(request: Request, db: Db, user: Reader, asked: Annotated[Asked, Depends()]) -> HTMLResponse:
    now = clock.now()
    return page(
        request,
        "overrides/list.html",
        asked=asked,
        tabs=list(OverrideTab),
        counts=override_counts(db, now=now),
        found=overrides(db, asked.shown, asked.filters, asked.page, now=now),
        edits=user.may(Right.EDIT_OVERRIDES),
    )


@router.get("/{override_id}")
def one(
    request: Request, db: Db, user: Reader, override_id: RowId, number: Annotated[int, Query(alias="page")] = 1
) -> HTMLResponse:
    return _detail(request, db, user, override_id, number)


@router.post("/{override_id}/end")
def end(request: Request, db: Db, user: Editor, override_id: RowId) -> Response:
    end_override(db, override_id, actor=user.actor, may_edit_global=_may_global(user), now=clock.now())
    return redirect(
        request, f"{PATH}/{override_id}", toast="It is over. Runs that come from now on count as what they are."
    )


@router.post("/{override_id}/extend")
def extend(
    request: Request, db: Db, user: Editor, override_id: RowId, ends_on: Annotated[str, Form()] = ""
) -> Response:
    now = clock.now()
    try:
        ends_at = last_day(ends_on, now=now, zone=ui_zone())
        extend_override(db, override_id, ends_at, actor=user.actor, may_edit_global=_may_global(user), now=now)
    except (Mistyped, BadInput) as problem:
        return _detail(request, db, user, override_id, 1, ends_on=ends_on, error=str(problem))
    return redirect(request, f"{PATH}/{override_id}", toast="Saved its new end.")


@router.post("/{override_id}/take-back")
def take_back(request: Request, db: Db, user: Editor, override_id: RowId) -> Response:
    may_edit_global, now = _may_global(user), clock.now()
    done = take_back_afterwards(db, override_id, actor=user.actor, may_edit_global=may_edit_global, now=now)
    said = f"{plural(len(done.lost), 'run counts', 'runs count')} as before again."
    return redirect(request, f"{PATH}/{override_id}", toast=said)


@router.get("/{override_id}/delete")
def ask_to_delete(request: Request, db: Db, user: Deleter, override_id: RowId) -> HTMLResponse:
    row = _row(db, override_id)
    return page(request, "overrides/delete.html", row=row, runs=overridden_runs(db, override_id, 1).total)


@router.post("/{override_id}/delete")
def delete(request: Request, db: Db, user: Deleter, override_id: RowId) -> Response:
    done = delete_override(db, override_id, actor=user.actor, now=clock.now())
    said = (
        f"Deleted the override. {plural(len(done.lost), 'run counts', 'runs count')} as what it is."
        if done.lost
        else "Deleted the override."
    )
    return redirect(request, PATH, toast=said)


def _detail(
    request: Request, db: Db, user: CurrentUser, override_id: int, number: int, *, ends_on: str = "", error: str = ""
) -> HTMLResponse:
    row, now = _row(db, override_id), clock.now()
    edits = user.may(Right.EDIT_OVERRIDES) and (not row.is_global or _may_global(user))
    return page(
        request,
        "overrides/detail.html",
        status=422 if error else 200,
        row=row,
        runs=overridden_runs(db, override_id, number),
        address=ListAddress(path=f"{PATH}/{override_id}", place="runs"),
        edits=edits,
        deletes=user.may(Right.DELETE_OVERRIDES),
        ends_on=ends_on or usual_last_day(now, ui_zone()).isoformat(),
        error=error,
    )


def _row(db: Db, override_id: int) -> OverrideRow:
    if (row := override_detail(db, override_id, now=clock.now())) is None:
        raise NotFound("This override doesn't exist (any more).")
    return row


def _may_global(user: CurrentUser) -> bool:
    return user.may(Right.EDIT_GLOBAL_OVERRIDES)
