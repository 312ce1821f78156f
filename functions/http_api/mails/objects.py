"""All objects of one reading, for reports that name too many for any other page."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import HTMLResponse

from functions.http_api.addresses import ListAddress, RowId
from functions.http_api.deps import Db
from functions.http_api.mails.readable import Reader, readable_mail
from functions.http_api.rendering import page
from shared.queries.objects import objects_of
from shared.services.errors import NotFound

router = APIRouter(prefix="/{mail_id}/readings/{number}/objects")


@router.get("")
def all_objects(
    request: Request,
    db: Db,
    user: Reader,
    mail_id: RowId,
    number: Annotated[int, Path(ge=0)],
    q: str = "",
    page_number: Annotated[int, Query(alias="page")] = 1,
) -> HTMLResponse:
    mail = readable_mail(db, user, mail_id)
    reading = next((each for each in mail.readings if each.number == number), None)
    if reading is None:
        raise NotFound("This mail has no such report (any more).")
    address = ListAddress(path=f"/mails/{mail_id}/readings/{number}/objects", filters={"q": q})
    found = objects_of(db, reading.reading_id, q, page_number)
    return page(request, "mails/objects.html", mail=mail, reading=reading, q=q, address=address, found=found)
