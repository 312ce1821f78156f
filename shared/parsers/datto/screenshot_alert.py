"""Datto direct-to-cloud agents: the alert about the screenshot that proves that a backup boots.

Subject  `Agent Screenshot Verification Failed` or `… Succeeded`. Only these names of alerts are known, no whole
         mail: the labels of the other alerts are assumed in the body.
"""

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.text import first_label, fold, labels

SOFTWARE = "Datto"
BACKUP_TYPE = "Screenshot verification"

_MARK = "agent screenshot verification "
STATUS = {"failed": Status.FAILED, "succeeded": Status.INFORMATIONAL}


def recognises(mail: Mail) -> bool:
    return _MARK in mail.subject.lower()


def parse(mail: Mail) -> Reading:
    subject = fold(mail.subject)
    words = subject[subject.index(_MARK) + len(_MARK) :].split() if _MARK in subject else []
    word = words[0].strip(".:!") if words else ""
    named = labels(mail.body[:100_000])
    agent, organisation = first_label(named, ("agent name",)), first_label(named, ("organization name",))
    status = STATUS.get(word)
    if status is None:
        raise UnreadableMail(f"unknown result {word!r}", job_name=agent, origin=organisation)
    if status is not Status.FAILED and agent is None:
        raise UnreadableMail("the body names no agent", job_name=agent, origin=organisation)
    return Reading(
        software=SOFTWARE,
        backup_type=BACKUP_TYPE,
        job_name=agent,
        origin=organisation,
        # A screenshot is a test of a backup: its success makes no run.
        kind=Kind.ALERT_ONLY if status is Status.FAILED else Kind.EVENT,
        status=status,
        objects=(ObjectResult(name=agent, type="Agent", status=status),) if agent else (),
        evidence=(f"subject: {word}",),
    )


PARSER = Parser(
    name="datto.screenshot_alert",
    software=SOFTWARE,
    backup_types=(BACKUP_TYPE,),
    languages=("en",),
    looks_for='Subject "Agent Screenshot Verification Failed" or "… Succeeded"',
    recognises=recognises,
    parse=parse,
)
