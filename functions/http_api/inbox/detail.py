"""One waiting mail: its facts beside the mail itself, and the forms that settle it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response
from fastapi.responses import HTMLResponse

from functions.http_api.addresses import RowId
from functions.http_api.deps import CurrentUser, Db
from functions.http_api.formats import plural
from functions.http_api.inbox.asked import Asked, Reader, Words, Worker
from functions.http_api.inbox.bulk import undo_of
from functions.http_api.inbox.forms import NO_HINTS, AttachTyped, Hints, NewJobTyped, Tried, approve_forms
from functions.http_api.mails import mail_page
from functions.http_api.mails.readable import readable_mail
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.domain.permissions import Right
from shared.queries.find_jobs import MOST_FOUND, find_jobs
from shared.queries.inbox import neighbours, next_waiting
from shared.queries.mail_detail import MailDetail
from shared.queries.suggest_customer import suggest_customers
from shared.services.approve_reading import Approved, ExistingJob, NewJob, approve_reading
from shared.services.approve_readings import customer_called
from shared.services.dismiss_mail import dismiss_mails, reparse_mails
from shared.services.errors import BadInput, Conflict, NotFound, Refusal

router = APIRouter(prefix="/{mail_id}")

InboxAddress = Annotated[Asked, Depends()]
READING = "/readings/{reading_id}"


@router.get("")
def waiting_mail(
    request: Request,
    db: Db,
    user: Reader,
    mail_id: RowId,
    asked: InboxAddress,
    hints: Annotated[Hints, Depends()],
) -> Response:
    mail = readable_mail(db, user, mail_id)
    if not any(reading.waits for reading in mail.readings):
        return redirect(request, f"/mails/{mail_id}")
    return _detail_page(request, db, user, mail, asked, hints=hints)


@router.post(READING + "/approve")
def approve(
    request: Request,
    db: Db,
    user: Worker,
    mail_id: RowId,
    reading_id: RowId,
    asked: InboxAddress,
    typed: Annotated[NewJobTyped, Depends()],
) -> Response:
    def act() -> Approved:
        customer = customer_called(db, typed.customer, create=typed.create, actor=user.actor, now=clock.now())
        to = NewJob(customer_id=customer.id, job_name=typed.job_name, vouched=typed.vouched)
        return approve_reading(db, reading_id, to, actor=user.actor, now=clock.now(), and_all_waiting=typed.all_waiting)

    return _settle(
        request, db, user, mail_id, asked, act, lambda why: Tried(reading_id=reading_id, refusal=why, new_job=typed)
    )


@router.post(READING + "/attach")
def attach(
    request: Request,
    db: Db,
    user: Worker,
    mail_id: RowId,
    reading_id: RowId,
    asked: InboxAddress,
    typed: Annotated[AttachTyped, Depends()],
) -> Response:
    def act() -> Approved:
        if typed.job_id is None:
            raise BadInput("Choose the job that this mail reports on.")
        to = ExistingJob(job_id=typed.job_id, vouched=typed.vouched)
        return approve_reading(db, reading_id, to, actor=user.actor, now=clock.now(), and_all_waiting=typed.all_waiting)

    return _settle(
        request, db, user, mail_id, asked, act, lambda why: Tried(reading_id=reading_id, refusal=why, attach=typed)
    )


@router.post("/delete")
def delete(
    request: Request,
    db: Db,
    user: Worker,
    mail_id: RowId,
    asked: InboxAddress,
    reason: Annotated[Words, Form(max_length=300)] = "",
) -> Response:
    if not dismiss_mails(db, [mail_id], actor=user.actor, reason=reason.strip(), now=clock.now()):
        raise Conflict("This mail doesn't wait any more: somebody else has handled it.")
    undo = undo_of(user, [mail_id], asked.mail_path(mail_id))
    return redirect(request, _next_path(db, mail_id, asked), toast="1 mail deleted.", undo=undo)


@router.get("/delete")
def ask_before_delete(request: Request, db: Db, user: Worker, mail_id: RowId, asked: InboxAddress) -> HTMLResponse:
    return page(request, "inbox/delete_one.html", asked=asked, mail=readable_mail(db, user, mail_id))


@router.post("/reparse")
def reparse(request: Request, db: Db, user: Worker, mail_id: RowId, asked: InboxAddress) -> Response:
    if reparse_mails(db, [mail_id]):
        return redirect(request, f"/mails/{mail_id}", toast="Read again: nothing of it waits any more.")
    return redirect(request, asked.mail_path(mail_id), toast="Read again with today's parsers; it still waits.")


def _settle(
    request: Request,
    db: Db,
    user: CurrentUser,
    mail_id: int,
    asked: Asked,
    act: Callable[[], Approved],
    tried: Callable[[Refusal], Tried],
) -> Response:
    """Approve all or nothing; what can't be done is said where it was asked."""
    try:
        with db.begin_nested():
            approved = act()
    except NotFound:
        raise
    except Refusal as refusal:
        return _refused(request, db, user, mail_id, asked, tried(refusal))
    mail = readable_mail(db, user, mail_id)
    return redirect(request, _next_path(db, mail_id, asked), toast=_said_of(mail, approved))


def _refused(request: Request, db: Db, user: CurrentUser, mail_id: int, asked: Asked, tried: Tried) -> HTMLResponse:
    mail = readable_mail(db, user, mail_id)
    status = 409 if isinstance(tried.refusal, Conflict) else 422
    if not any(reading.waits and reading.reading_id == tried.reading_id for reading in mail.readings):
        return mail_page(request, mail, user, refusal=str(tried.refusal), status=status)
    return _detail_page(request, db, user, mail, asked, tried=tried, status=status)


def _detail_page(
    request: Request,
    db: Db,
    user: CurrentUser,
    mail: MailDetail,
    asked: Asked,
    *,
    hints: Hints = NO_HINTS,
    tried: Tried | None = None,
    status: int = 200,
) -> HTMLResponse:
    works = user.may(Right.WORK_INBOX)
    suggestions = suggest_customers(db, mail.mail_id) if works else {}
    found_jobs = find_jobs(db, hints.job_q) if works else ()
    forms = {
        reading.reading_id: approve_forms(
            mail,
            reading,
            suggestions=suggestions.get(reading.reading_id, ()),
            found_jobs=found_jobs,
            hints=hints if reading.reading_id == hints.find_for else NO_HINTS,
            tried=tried if tried and tried.reading_id == reading.reading_id else None,
        )
        for reading in mail.readings
        if works and reading.waits
    }
    beside = neighbours(db, asked.filters, mail.mail_id)
    context = {"mail": mail, "asked": asked, "forms": forms, "beside": beside, "works_inbox": works, "most": MOST_FOUND}
    return page(request, "inbox/detail.html", status=status, refusal="", **context)


def _next_path(db: Db, mail_id: int, asked: Asked) -> str:
    following = next_waiting(db, asked.filters, mail_id)
    return asked.list_path if following is None else asked.mail_path(following)


def _said_of(mail: MailDetail, approved: Approved) -> str:
    job = next(each.job for each in mail.readings if each.job and each.job.job_id == approved.job_id)
    return f"{plural(approved.runs, 'run')} of {job.customer} › {job.job_name}."
