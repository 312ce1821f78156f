"""Veeam Backup Enterprise Manager: the daily summary of the jobs of several backup servers.

Subject  `Last 24 hours: 1 Errors, 0 Warnings, 4 Successes`; something may precede it ("SUPPORT EXPIRED")
Body     HTML: for each job a block in the frame of Backup & Replication: `Backup job: Nightly (server)`, at the
         right `1 Failed` or `2 Success`, the date, and a table of machines with their times

Seen in 12, in English. The summary itself is one reading, each job another, whose origin is its server.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status, worst
from shared.parsers.contract import Parser
from shared.parsers.text import wall_clock
from shared.parsers.veeam._family import SUMMARY, Family, family_of
from shared.parsers.veeam._frame import JOB_TITLE, Block, blocks_of, counted_verdicts
from shared.parsers.veeam._names import backup_type_of
from shared.parsers.veeam._verdict import objects_of
from shared.parsers.veeam._words import Known, status_of

_SOFTWARE = "Veeam Backup Enterprise Manager"
_TYPE = "Enterprise Manager summary"
_SUMMARY = Known(job_name="Last 24 hours", backup_type=_TYPE)


def recognises(mail: Mail) -> bool:
    return family_of(mail) is Family.ENTERPRISE_MANAGER


def parse(mail: Mail) -> Sequence[Reading]:
    blocks = [block for block in blocks_of(mail) if JOB_TITLE.fullmatch(block.title)]
    whole = [block for block in blocks if _is_whole(block)]
    jobs = [_job(block) for block in whole]
    summary = _summary(mail, jobs)
    if len(whole) < len(blocks) and summary.status is not Status.FAILED:
        raise _SUMMARY.unreadable("the mail ends inside the report of a job")
    return [summary, *jobs]


def _is_whole(block: Block) -> bool:
    """Say whether a job lists as many machines as it counts. An unknown count is left for `_job` to refuse."""
    if not block.verdicts:
        return False
    counts = counted_verdicts(block.verdicts[0])
    return counts is None or sum(counts.values()) <= sum(len(table.rows) for table in block.tables)


def _job(block: Block) -> Reading:
    match = JOB_TITLE.fullmatch(block.title)
    written = match["name"] if match else block.title
    name, bracket, server = written.rpartition(" (")
    known = Known(
        job_name=name if bracket else written,
        backup_type=backup_type_of(block),
        origin=server.removesuffix(")") if bracket else None,
    )
    counts = counted_verdicts(block.verdicts[0]) or {}
    statuses = [status_of(word) for word, number in counts.items() if number]
    if not statuses or None in statuses:
        raise known.unreadable(f"“{block.verdicts[0]}” is no count of results")
    status = worst(status for status in statuses if status is not None)
    objects = objects_of(block, "VM", known, is_failed=status is Status.FAILED)
    return _with_times(block, _reading(known, status, objects, evidence=(f"header: {block.verdicts[0]}",)))


def _reading(known: Known, status: Status, objects: tuple[ObjectResult, ...], *, evidence: tuple[str, ...]) -> Reading:
    return Reading(
        software=_SOFTWARE,
        backup_type=known.backup_type,
        job_name=known.job_name,
        origin=known.origin,
        status=status,
        objects=objects,
        objects_complete=bool(objects),
        evidence=evidence,
    )


def _with_times(block: Block, reading: Reading) -> Reading:
    """Return the reading with its first start and last end, from rows that give dates the American way."""
    starts, ends = [], []
    for table in block.tables:
        for row in table.rows:
            starts.append(wall_clock(table.value(row, "start time"), day_first=False))
            ends.append(wall_clock(table.value(row, "end time"), day_first=False))
    started = min((moment for moment in starts if moment), default=block.started_at)
    return replace(reading, started_at=started, ended_at=max((moment for moment in ends if moment), default=None))


def _summary(mail: Mail, jobs: Sequence[Reading]) -> Reading:
    """Return the mail as a whole, as bad as its subject or its worst job."""
    match = SUMMARY.search(mail.subject)
    statuses = [thing.held_to_its_objects().status for thing in jobs]
    if match and int(match["failed"]):
        statuses.append(Status.FAILED)
    if match and int(match["warned"]):
        statuses.append(Status.WARNING)
    status = worst(statuses, default=Status.INFORMATIONAL)
    listed = sum(len(job.objects) for job in jobs)
    if status is not Status.FAILED and (not jobs or (match and listed < _total(match))):
        raise _SUMMARY.unreadable("the mail lists fewer results than its subject counts")
    said = match[0] if match else f"{len(jobs)} jobs"
    reading = _reading(_SUMMARY, status, (), evidence=(said,))
    return replace(reading, kind=Kind.INFORMATIONAL, message=said)


def _total(match: re.Match[str]) -> int:
    return sum(int(match[name]) for name in ("failed", "warned", "good"))


PARSER = Parser(
    name="veeam.enterprise_manager",
    software=_SOFTWARE,
    backup_types=(_TYPE, "Backup job", "Replication job", "Backup Copy job"),
    languages=("en",),
    looks_for="“Last 24 hours: 1 Errors, 0 Warnings, 4 Successes” as the subject",
    recognises=recognises,
    parse=parse,
)
