"""Duplicati: the report of an operation, mailed or in the form of its web hook.

Subject  by default `Duplicati Backup report for <name>` without a verdict; people add one
         (`Duplicati Warning, Backup report for <name>`) or write a subject of their own.
Body     the result as text: a fact a line, parts (compact, test …) indented, `ParsedResult:` the verdict of the
         whole; perhaps `Log data:`. A backup that broke off has only `Failed: <why>` and `Details:`. The same as
         JSON, with machine and backup name.
Seen     2.0.0 to 2.2, always English; dates follow the machine's locale. Mails for other operations (restore, list,
         test, compact) are sent too when people ask for them.
"""

import re

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status, worst
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.duplicati._result import Result, result
from shared.parsers.text import labels, one_line

SOFTWARE = "Duplicati"
STATUS = {
    "Success": Status.SUCCESS,
    "Warning": Status.WARNING,
    "Error": Status.FAILED,
    "Fatal": Status.FAILED,
}
BACKUP = "Backup"
OTHERS = ("Restore", "List", "Test", "Verify", "Compact", "Delete", "Repair", "Purge", "Vacuum", "Recreate")

_SUBJECT = re.compile(r"Duplicati (?:(?P<word>\w+)[,:] )?(?P<operation>\w+) report for (?P<name>.{1,300})")
_MACHINE = re.compile(r"\bmachine:? (?P<name>[\w.-]+)")
_WORD = re.compile(r"\b(?:Success|Warning|Error|Fatal)\b")
# No run, whatever it says: somebody looked into the backup.
_LOOKING = frozenset({"Restore", "List"})


def recognises(mail: Mail) -> bool:
    if _SUBJECT.search(mail.subject):
        return True
    body = mail.body
    as_text = "\nMainOperation: " in body and "\nParsedResult: " in body
    as_json = body.lstrip().startswith("{") and '"MainOperation"' in body and '"ParsedResult"' in body
    return as_text or as_json or (body.lstrip().startswith("Failed: ") and "Duplicati.Library." in body)


def parse(mail: Mail) -> Reading:
    subject = _SUBJECT.search(one_line(mail.subject))
    found = result(mail.body)
    operation = (found.operation or (subject["operation"] if subject else BACKUP))[:40]
    added = labels(mail.body)  # people may add these to the body
    job_name = found.backup_name or added.get("backup-name") or _job_name(mail.subject, subject)
    origin = found.machine or added.get("machine-name") or _machine(mail.subject)
    word = _word(mail.subject, subject)
    try:
        status, evidence = _verdict(word, found, is_backup=operation == BACKUP)
    except UnreadableMail as problem:
        raise UnreadableMail(problem.reason, backup_type=operation, job_name=job_name, origin=origin) from problem
    message = _message(status, found, evidence)
    kind = _kind(operation, status, is_dry_run=found.is_dry_run)
    if kind is not Kind.REGULAR and status is Status.SUCCESS:
        status = Status.INFORMATIONAL
    is_run = kind is Kind.REGULAR and job_name is not None
    return Reading(
        software=SOFTWARE,
        backup_type=operation,
        job_name=job_name,
        origin=origin,
        status=status,
        kind=kind,
        objects=(ObjectResult(name=job_name or "", type=operation, status=status, message=message),) if is_run else (),
        started_at=found.started_at,
        ended_at=found.ended_at,
        size_bytes=found.size_bytes if operation == BACKUP else None,
        message=message,
        evidence=evidence,
    )


def _job_name(subject: str, default: re.Match[str] | None) -> str | None:
    """Return the backup's name, or what a subject of somebody's own says besides the verdict."""
    if default:
        return default["name"].strip()
    if machine := _machine(subject):
        return machine
    # A bug of 2.2.0.1 leaves a bracket before a subject of one's own.
    return one_line(_WORD.sub(" ", subject)).strip("}{[]()-:, ") or None


def _machine(subject: str) -> str | None:
    machine = _MACHINE.search(subject)
    return machine["name"] if machine else None


def _word(subject: str, default: re.Match[str] | None) -> str | None:
    """Return the verdict that somebody put into the subject; the name of a backup is none, whatever it is."""
    if default and default["word"]:
        return default["word"]
    before = one_line(subject)[: default.start()] if default else subject
    word = _WORD.search(before)
    return word[0] if word else None


def _verdict(word: str | None, found: Result, *, is_backup: bool) -> tuple[Status, tuple[str, ...]]:
    """Return the worst of subject, verdicts, counts and log. Raise UnreadableMail without proof of success."""
    proofs = [(STATUS[said], f"ParsedResult: {said}") for said in found.words if said in STATUS]
    proofs += [(Status.FAILED, text) for text in ([f"Failed: {found.exception}"] * bool(found.exception))]
    proofs += [(Status.FAILED, text) for text in found.errors]
    proofs += [(Status.WARNING, text) for text in found.warnings]
    proofs += [(STATUS[word], f"subject: {word}")] if word in STATUS else []
    status = worst((proof for proof, _ in proofs), default=Status.SUCCESS)
    if status is not Status.FAILED and (unknown := [said for said in found.words if said not in STATUS]):
        raise UnreadableMail(f"unknown status {unknown[0]!r}")
    if status is Status.SUCCESS and not found.is_decided and (is_backup or not found.ends_with_lists):
        raise UnreadableMail("the body lacks “ParsedResult:” of the whole, or what follows it")
    deciding = dict.fromkeys(text for proof, text in proofs if proof is status)
    return status, tuple(deciding)[:5] or ("Errors: []",)


def _kind(operation: str, status: Status, *, is_dry_run: bool) -> Kind:
    """Return what the mail stands for. Looking and dry runs make no run, nor does upkeep; their trouble is shown."""
    if operation == BACKUP and not is_dry_run:
        return Kind.REGULAR
    if status is Status.FAILED or (status is Status.WARNING and operation not in _LOOKING):
        return Kind.INFORMATIONAL
    return Kind.EVENT


def _message(status: Status, found: Result, evidence: tuple[str, ...]) -> str:
    """Return what a person wants to know first: the exception, a line of the log, or at least a count."""
    if status not in (Status.WARNING, Status.FAILED):
        return ""
    told = found.errors if status is Status.FAILED else found.warnings
    in_words = [text for text in told if "ActualLength: " not in text]
    return next(iter([found.exception] * bool(found.exception) + in_words + told), evidence[0])


PARSER = Parser(
    name="duplicati.report",
    software=SOFTWARE,
    backup_types=(BACKUP, *OTHERS),
    languages=("en",),
    looks_for="the subject “Duplicati … report for …”, or the facts “MainOperation” and “ParsedResult”",
    recognises=recognises,
    parse=parse,
)
