"""Work that was given up: people try it again, or let it go."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from functions.http_api.addresses import LARGEST_ID, ListAddress
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import plural
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.clients.queues import open_queues
from shared.domain.permissions import Right
from shared.queries.dead_letters import dead_letters, open_count
from shared.services.errors import BadInput, Conflict, NotFound
from shared.services.retry_dead_letter import discard_dead_letter, retry_dead_letter
from shared.settings import settings

PATH = "/manage/dead-letters"
router = APIRouter(prefix=PATH, include_in_schema=False)
Maintainer = Annotated[CurrentUser, require(Right.MAINTAIN)]


@dataclass(frozen=True, kw_only=True, slots=True)
class Sent:
    """The messages that were chosen."""

    letter: Annotated[list[Annotated[int, Field(ge=0, le=LARGEST_ID)]], Form(default_factory=list)]
    confirmed: Annotated[bool, Form()] = False

    @property
    def letters(self) -> list[int]:
        """Return them in one order for everybody, so that two people never wait for each other."""
        if not self.letter:
            raise BadInput("Nothing was selected.")
        return sorted(set(self.letter))


Chosen = Annotated[Sent, Depends()]


@router.get("")
def letter_list(
    request: Request, db: Db, user: Maintainer, page_number: Annotated[int, Query(alias="page")] = 1
) -> HTMLResponse:
    found = dead_letters(db, page_number)
    return page(
        request,
        "dead_letters/list.html",
        found=found,
        open_letters=open_count(db),
        address=ListAddress(path=PATH),
    )


@router.post("/retry")
def retry(request: Request, db: Db, user: Maintainer, sent: Chosen) -> Response:
    put_back = partial(retry_dead_letter, db, user.actor, queues=open_queues(settings()), now=clock.now())
    done = _settle(sent.letters, put_back)
    return redirect(request, PATH, toast=f"{plural(done, 'message')} put back into the queue.")


@router.post("/discard")
def discard(request: Request, db: Db, user: Maintainer, sent: Chosen) -> Response:
    if not sent.confirmed:
        return page(request, "dead_letters/discard.html", letters=sent.letters)
    done = _settle(sent.letters, partial(discard_dead_letter, db, user.actor, now=clock.now()))
    return redirect(request, PATH, toast=f"{plural(done, 'message')} discarded.")


def _settle(letters: list[int], settle: Callable[[int], None]) -> int:
    """Return how many were settled. Raise Conflict when somebody else was faster with all of them."""
    done, said = 0, ""
    for letter in letters:
        try:
            settle(letter)
            done += 1
        except (Conflict, NotFound) as problem:
            said = str(problem)
    if not done:
        raise Conflict(said)
    return done
