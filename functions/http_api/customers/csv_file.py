"""Customers as a CSV file: the export, and the import with a preview that has to be confirmed."""

import base64
import csv
import io
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated

from fastapi import APIRouter, File, Form, Request, UploadFile
from fastapi.responses import HTMLResponse, Response
from sqlalchemy.orm import Session

from functions.http_api.autotask import NoAnswer, another_transaction, asking_autotask
from functions.http_api.deps import CurrentUser, Db, require
from functions.http_api.formats import plural
from functions.http_api.rendering import page
from functions.http_api.toasts import redirect
from shared import clock
from shared.db.session import transaction
from shared.domain.csv_cell import guarded
from shared.domain.permissions import Right
from shared.queries.customers import CustomerRow, all_customers
from shared.services.errors import BadInput
from shared.services.import_customers import (
    COLUMNS,
    MAX_BYTES,
    Change,
    Line,
    import_customers,
    read_customers,
    wanted_companies,
)
from shared.services.imported_companies import Companies

router = APIRouter()

EditsCustomers = Annotated[CurrentUser, require(Right.EDIT_CUSTOMERS)]
LISTED_LINES = 500


@router.get("/export.csv")
def export(db: Db, user: EditsCustomers) -> Response:
    name = f"customers-{clock.now():%Y-%m-%d}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    # The byte order mark tells spreadsheets that it is UTF-8.
    return Response(as_csv(all_customers(db)).encode("utf-8-sig"), media_type="text/csv", headers=headers)


@router.get("/import")
def choose_file(request: Request, db: Db, user: EditsCustomers) -> HTMLResponse:
    return _upload_form(request)


@router.post("/import")
def preview(
    request: Request, db: Db, user: EditsCustomers, file: Annotated[UploadFile | None, File()] = None
) -> HTMLResponse:
    content = file.file.read(MAX_BYTES + 1) if file else b""
    try:
        companies = _companies_in(db, content) if content else None
    except BadInput as problem:
        return _upload_form(request, error=str(problem))
    with another_transaction(request) as after:
        lines = read_customers(after, content, companies, today=clock.now().date()) if content else []
        return _preview(request, lines, content)


def _preview(request: Request, lines: Sequence[Line], content: bytes) -> HTMLResponse:
    if not lines:
        return _upload_form(request, error="Choose a CSV file with at least one customer.")
    # The file travels in the page: what is confirmed is what was shown, and nothing is kept for those who leave.
    return page(
        request,
        "customers/preview.html",
        counts=_counts(lines),
        lines=_worth_showing(lines)[:LISTED_LINES],
        hidden=max(0, len(_worth_showing(lines)) - LISTED_LINES),
        content=base64.urlsafe_b64encode(content).decode(),
    )


@router.post("/import/confirm")
def confirm(request: Request, db: Db, user: EditsCustomers, content: Annotated[str, Form()] = "") -> Response:
    try:
        file, actor = base64.urlsafe_b64decode(content), user.actor
    except ValueError as problem:  # not all of it is ASCII, or it is cut off
        raise BadInput("The file didn't arrive whole. Choose it again.") from problem
    companies = _companies_in(db, file)
    with transaction() as change:
        lines = import_customers(change, file, actor=actor, now=clock.now(), companies=companies)
    counts = _counts(lines)
    summary = f"Imported: {counts['add']:,} added, {counts['update']:,} changed, {counts['same']:,} left as they are."
    if counts["error"]:
        summary += f" {plural(counts['error'], 'line')} with errors left out."
    return redirect(request, "/customers", toast=summary)


def _companies_in(db: Session, content: bytes) -> Companies | None:
    """Ask Autotask for the companies that customers would get; it is not asked for files without. Raise BadInput.

    Afterwards the request's transaction may be over.
    """
    wanted = wanted_companies(db, content)
    if not wanted:
        return None
    try:
        with asking_autotask(db) as provider:
            return Companies(found={each.id: each for each in provider.companies(wanted)}, problem="")
    except NoAnswer as problem:
        return Companies(problem=str(problem).rstrip("."))


def as_csv(rows: Iterable[CustomerRow]) -> str:
    """Return the export; importing it again changes nothing."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        writer.writerow(
            (
                guarded(row.name),
                "yes" if row.active else "no",
                row.time_zone or "",
                row.go_live_on or "",
                guarded(row.note),
                row.company_id or "",
                guarded(row.company_name or ""),
            ),
        )
    return out.getvalue()


def _upload_form(request: Request, error: str = "") -> HTMLResponse:
    return page(request, "customers/import.html", status=422 if error else 200, error=error)


def _counts(lines: Sequence[Line]) -> dict[str, int]:
    found = Counter(line.change.value for line in lines)
    return {change.value: found[change.value] for change in Change}


def _worth_showing(lines: Sequence[Line]) -> list[Line]:
    """Return the lines that do something, or can't; those with errors first."""
    return sorted((line for line in lines if line.change is not Change.SAME), key=lambda line: not line.problem)
