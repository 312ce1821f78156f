"""Proxmox VE: the mail sent when a backup job (vzdump) ends on one node.

Subject  `vzdump backup status (<node>) : backup successful|failed` up to 8.0, without the blank before the
         colon since 8.1; a cause may follow "failed".
Body     up to 8.0 text and HTML: a table (VMID NAME STATUS TIME SIZE FILENAME), in HTML with a TOTAL row and
         the error in the row of a failed guest, then "Detailed backup logs:" or that they are too long.
         Since 8.1 a text or an HTML body: Details with the same table, "Total running time", Logs.
Seen     5.x to 9.x, always English. There is no job name: the node stands for it.
"""

from shared.domain.mail import Mail
from shared.domain.reading import ObjectResult, Reading
from shared.domain.status import Status, worst
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.proxmox._vzdump_report import STATUS, Guest, Log, Report, Subject, report, subject_of
from shared.parsers.text import labels, size_in_bytes

SOFTWARE = "Proxmox VE"
BACKUP_TYPE = "vzdump"


def recognises(mail: Mail) -> bool:
    return "vzdump backup status (" in mail.subject.lower()


def parse(mail: Mail) -> Reading:
    subject = subject_of(mail.subject)
    found = report(mail)
    try:
        status, evidence = _verdict(subject, found)
    except UnreadableMail as problem:
        raise UnreadableMail(
            problem.reason, backup_type=BACKUP_TYPE, job_name=subject.node, origin=subject.node
        ) from problem
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=subject.node,
        origin=subject.node,
        status=status,
        objects=tuple(_object(guest, found.log) for guest in found.guests),
        objects_complete=found.table_is_whole and bool(found.guests),
        started_at=found.log.first_at,
        ended_at=found.log.last_at,
        size_bytes=size_in_bytes(labels(mail.body).get("total size", "")),
        message=_message(status, subject, found),
        evidence=evidence,
    )


def _verdict(subject: Subject, found: Report) -> tuple[Status, tuple[str, ...]]:
    """Return the worst of subject, table and log. Raise UnreadableMail when they don't prove success."""
    said = STATUS.get(subject.word)
    unknown = [guest.word for guest in found.guests if guest.word not in STATUS]
    proofs = [(said, f"subject: {subject.word}")] if said else []
    proofs += [(STATUS[guest.word], f"{guest.vmid}: {guest.word}") for guest in found.guests if guest.word in STATUS]
    proofs += [(Status.FAILED, f"log: ERROR: {text}") for text in found.log.errors]
    proofs += [(Status.WARNING, f"log: WARN: {text}") for text in found.log.warnings]
    status = worst((proof[0] for proof in proofs), default=Status.SUCCESS)
    if status is not Status.FAILED and (said is None or unknown):
        raise UnreadableMail(f"unknown status {(unknown or [subject.word])[0]!r}")
    if status is Status.SUCCESS:
        _require_a_whole_body(found)
    return status, tuple(words for proof, words in proofs if proof is status)[:5]


def _require_a_whole_body(found: Report) -> None:
    if not found.guests:
        raise UnreadableMail("the body lists no guest")
    if not found.table_is_whole:
        raise UnreadableMail("the body ends within the table of guests")
    if found.log.is_expected and (silent := [g.vmid for g in found.guests if g.vmid not in found.log.finished]):
        raise UnreadableMail(f"the log was cut before the backup of {silent[0]} finished")


def _object(guest: Guest, log: Log) -> ObjectResult:
    return ObjectResult(
        name=f"{guest.name} ({guest.vmid})" if guest.name else guest.vmid,
        type="CT" if guest.is_container or guest.vmid in log.containers else "VM",
        status=STATUS.get(guest.word, Status.FAILED),
        message=guest.error or log.error_of.get(guest.vmid, ""),
    )


def _message(status: Status, subject: Subject, found: Report) -> str:
    """Return the cause; errors of guests that the table shows as good stand nowhere else."""
    if status is not Status.FAILED:
        return found.log.warnings[0] if found.log.warnings else ""
    failed = {guest.vmid for guest in found.guests if STATUS.get(guest.word) is not Status.SUCCESS}
    untold = [f"{vmid}: {text}" for vmid, text in found.log.error_of.items() if vmid not in failed]
    cause = subject.cause or (found.log.errors[-1] if found.log.errors and not untold else "")
    return "; ".join(filter(None, (cause, *untold)))


PARSER = Parser(
    name="proxmox.vzdump",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for="the subject “vzdump backup status (node)”",
    recognises=recognises,
    parse=parse,
)
