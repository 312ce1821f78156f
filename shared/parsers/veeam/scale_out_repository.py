"""Veeam Backup & Replication: the daily report on a scale-out repository's space. It is no backup.

Subject  `Scale-out Backup Repository <name>`
Body     HTML: the same words with the verdict in the header; used space and capacity; a table of extents for
         each tier, with a status: OK, Maintenance mode, Reaching capacity, Out of capacity, Offline.

Seen in 12, in English. How much is free decides nothing: the extents' words and the header do.
"""

from collections.abc import Iterator

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status, worst
from shared.parsers.contract import Parser
from shared.parsers.text import fold
from shared.parsers.veeam._family import REPOSITORY, Family, family_of
from shared.parsers.veeam._frame import Block, blocks_of
from shared.parsers.veeam._subject import subject_of
from shared.parsers.veeam._words import VBR, Known, status_of

_TYPE = "Scale-out Backup Repository report"
_EXTENT_STATUS = {
    "ok": Status.SUCCESS,
    "maintenance mode": Status.WARNING,
    "sealed mode": Status.WARNING,
    "reaching capacity": Status.WARNING,
    "out of capacity": Status.FAILED,
    "offline": Status.FAILED,
}


def recognises(mail: Mail) -> bool:
    return family_of(mail) is Family.REPOSITORY


def parse(mail: Mail) -> Reading:
    block = next((block for block in blocks_of(mail) if REPOSITORY.fullmatch(block.title)), None)
    named = REPOSITORY.search(mail.body)
    title = REPOSITORY.fullmatch(block.title) if block else named
    name = title["name"].strip() if title else None
    known = Known(job_name=name, backup_type=_TYPE, origin=subject_of(mail).prefix or None)
    if block is None or not block.verdicts:
        raise known.unreadable("the mail ends before the status word")
    return _reading(block, known)


def _reading(block: Block, known: Known) -> Reading:
    header = status_of(block.verdicts[0])
    if header is None:
        raise known.unreadable(f"the header's “{block.verdicts[0]}” is no status word")
    extents = tuple(_extents(block, known))
    status = worst([header, *(extent.status for extent in extents)])
    if status is Status.SUCCESS and not (extents and block.has_footer):
        raise known.unreadable("the mail ends before its last extent, so it can't prove that all are well")
    return Reading(
        software=VBR,
        backup_type=_TYPE,
        job_name=known.job_name,
        origin=known.origin,
        status=status,
        kind=Kind.INFORMATIONAL,
        objects=extents,
        started_at=block.started_at,
        evidence=_evidence(block, extents, status),
    )


def _extents(block: Block, known: Known) -> Iterator[ObjectResult]:
    for table in block.tables:
        for row in table.rows:
            word = table.value(row, "status") or (row[-1] if len(row) > 2 else "")
            status = _EXTENT_STATUS.get(fold(word)) or status_of(word)
            if status is None:
                raise known.unreadable(f"“{word}” beside {row[0]} is no status word")
            message = "" if status is Status.SUCCESS else word
            yield ObjectResult(name=" ".join(row[0].split()), type="Extent", status=status, message=message)


def _evidence(block: Block, extents: tuple[ObjectResult, ...], status: Status) -> tuple[str, ...]:
    said = [f"header: {block.verdicts[0]}"] if status_of(block.verdicts[0]) is status else []
    trouble = [f"{extent.name}: {extent.message}" for extent in extents if extent.status is status and extent.message]
    return (*said, *trouble)


PARSER = Parser(
    name="veeam.scale_out_repository",
    software=VBR,
    backup_types=(_TYPE,),
    languages=("en",),
    looks_for="“Scale-out backup repository NAME” in the header",
    recognises=recognises,
    parse=parse,
)
