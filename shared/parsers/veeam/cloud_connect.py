"""Veeam Cloud Connect: the service provider's daily report on all tenants. It is no backup.

Subject  not documented; the body decides
Body     HTML: `Infrastructure status: OK`, or what capacity is short; a table of tenants each for backup,
         replication and agents, closed by a row TOTAL. A tenant may stand in several.

Seen in 13, in English. Of a tenant it says only when it was last active, which is no verdict on its backups.
"""

from collections.abc import Iterator, Sequence

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser
from shared.parsers.html import cells, rows
from shared.parsers.text import fold
from shared.parsers.veeam._family import Family, family_of
from shared.parsers.veeam._frame import ends_with_product
from shared.parsers.veeam._subject import subject_of
from shared.parsers.veeam._words import Known

_SOFTWARE = "Veeam Cloud Connect"
_TYPE = "Cloud Connect Report"
_LABEL = "Infrastructure status:"
# The first sentence; advice on tenants follows it.
_STATUS = {
    "ok": Status.INFORMATIONAL,
    "reaching capacity": Status.WARNING,
    "out of capacity": Status.FAILED,
}
# A column that only one of the tables has.
_TABLE_MARKS = {"hardware plan": "Replication", "workstation": "Agent", "repository": "Backup"}


def recognises(mail: Mail) -> bool:
    return family_of(mail) is Family.CLOUD_CONNECT


def parse(mail: Mail) -> Reading:
    known = Known(job_name="Daily report", backup_type=_TYPE, origin=subject_of(mail).prefix or None)
    sentence = _sentence(mail.body)
    if sentence is None:
        raise known.unreadable("the mail ends before the infrastructure status")
    status = _STATUS.get(fold(sentence.split(".")[0]))
    if status is None:
        raise known.unreadable(f"“{sentence}” is no known infrastructure status")
    grid = _grid(mail)
    is_whole = _is_whole(grid) and ends_with_product(mail.body)
    if status is Status.INFORMATIONAL and not is_whole:
        raise known.unreadable("the mail ends before its last tenant")
    return Reading(
        software=_SOFTWARE,
        backup_type=_TYPE,
        job_name=known.job_name,
        origin=known.origin,
        status=status,
        kind=Kind.INFORMATIONAL,
        objects=tuple(_tenants(grid)),
        objects_complete=is_whole,
        message="" if status is Status.INFORMATIONAL else sentence,
        evidence=(f"{_LABEL} {sentence}",),
    )


def _sentence(body: str) -> str | None:
    at = body.find(_LABEL)
    if at < 0:
        return None
    said = body[at + len(_LABEL) :].lstrip().split("\n", 1)[0]
    return said.strip() or None


def _grid(mail: Mail) -> list[list[str]]:
    found = [cells(row) for row in rows(mail.html)] if mail.html else []
    return found or [line.split("\t") for line in mail.body.split("\n") if "\t" in line]


def _is_header(row: Sequence[str]) -> bool:
    return len(row) > 2 and fold(row[0]) in ("user", "tenant") and any(fold(cell) == "last active" for cell in row)


def _is_whole(grid: Sequence[Sequence[str]]) -> bool:
    """Say whether each table that begins is closed by its total."""
    headers = sum(1 for row in grid if _is_header(row))
    totals = sum(1 for row in grid if row and row[0] == "TOTAL")
    return headers > 0 and headers == totals


def _tenants(grid: Sequence[Sequence[str]]) -> Iterator[ObjectResult]:
    kind, active = "", -1
    for row in grid:
        if _is_header(row):
            columns = [fold(cell) for cell in row]
            kind = next((name for mark, name in _TABLE_MARKS.items() if mark in columns), "Tenant")
            active = columns.index("last active")
        elif kind and len(row) > 2 and row[0] and row[0] != "TOTAL":
            last = row[active] if active < len(row) else ""
            message = f"Last active {last}" if last else ""
            yield ObjectResult(name=row[0], type=f"Tenant ({kind})", status=Status.SUCCESS, message=message)


PARSER = Parser(
    name="veeam.cloud_connect",
    software=_SOFTWARE,
    backup_types=(_TYPE,),
    languages=("en",),
    looks_for="“Cloud Connect” and “Infrastructure status:” in the body",
    recognises=recognises,
    parse=parse,
)
