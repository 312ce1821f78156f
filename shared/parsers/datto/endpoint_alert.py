"""Datto Endpoint Backup for PCs: the alert mails. There is no mail about success.

Subject  `Endpoint Backup Agent (<agent>) Backup Not Taken for Client (<organisation>)` and
         `Endpoint Backup Agent (<agent>) Checkin Alert for Organization (<organisation>)`.
Body     HTML after a long style block: "Agent Alert | Endpoint Backup for PCs", the kind of alert in bold, a
         sentence with the last time and the threshold, `Agent Name:`, `Agent Shortcode:`, `Organization Name:`.
Seen     2025, English. One cause sends both alerts, seconds apart.
"""

import re

from shared.domain.mail import Mail
from shared.domain.reading import Kind, ObjectResult, Reading
from shared.domain.status import Status, worst
from shared.parsers.contract import Parser, UnreadableMail
from shared.parsers.text import first_label, fold, labels, one_line

SOFTWARE = "Datto Endpoint Backup"
NOT_TAKEN = "Backup Not Taken"
NOT_CHECKING_IN = "Agent Not Checking In"

# The subject's and the body's words for the kind of alert. A PC that is merely off doesn't check in: a warning.
ALERTS = {
    "backup not taken": (NOT_TAKEN, Status.FAILED),
    "checkin alert": (NOT_CHECKING_IN, Status.WARNING),
    "agent not checking in": (NOT_CHECKING_IN, Status.WARNING),
}

_BODY_SIZE = 100_000  # an alert is one page; only a hostile one is longer
_MARK = "endpoint backup agent ("
_SUBJECT = re.compile(
    r"Endpoint Backup Agent \((?P<agent>.{1,200}?)\) (?P<alert>[^()]{1,80}?) for (?:Client|Organization) "
    r"\((?P<organisation>.{1,300})\)",
    re.IGNORECASE,
)


def recognises(mail: Mail) -> bool:
    return _MARK in mail.subject.lower()


def parse(mail: Mail) -> Reading:
    found = _SUBJECT.search(mail.subject)
    named = labels(mail.body[:_BODY_SIZE])
    agent = first_label(named, ("agent name",)) or (found["agent"] if found else None)
    organisation = first_label(named, ("organization name",)) or (found["organisation"] if found else None)
    lines = [one_line(line) for line in mail.body[:_BODY_SIZE].split("\n")]
    said = [ALERTS[word] for word in [fold(found["alert"]) if found else "", *map(fold, lines)] if word in ALERTS]
    if not said:
        raise UnreadableMail(
            "neither subject nor body holds an alert that we know", job_name=agent, origin=organisation
        )
    status = worst(status for _, status in said)
    backup_type = next(name for name, found_status in said if found_status is status)
    message = next((line for line in lines if "configured threshold" in line), "")[:1000]
    return Reading(
        software=SOFTWARE,
        backup_type=backup_type,
        job_name=agent,
        origin=organisation,
        kind=Kind.ALERT_ONLY,
        status=status,
        objects=(ObjectResult(name=agent, type="Agent", status=status, message=message),) if agent else (),
        message=message,
        evidence=(backup_type,),
    )


PARSER = Parser(
    name="datto.endpoint_alert",
    software=SOFTWARE,
    backup_types=(NOT_TAKEN, NOT_CHECKING_IN),
    languages=("en",),
    looks_for='Subject "Endpoint Backup Agent (<agent>) …"',
    recognises=recognises,
    parse=parse,
    sleeps=True,
)
