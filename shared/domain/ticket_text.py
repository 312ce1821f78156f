"""What a ticket says when it is made: templates that administrators write, filled with what is known of the runs.

A template is text with names in braces. Nothing in it is run, and a name that is unknown stays as it is.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shared.domain.status import Status

TITLE = "Backup {status}: {customer} – {job}"
DESCRIPTION = "{details}\n\n{link}"
PLACEHOLDERS = {
    "customer": "the customer's name",
    "job": "the job's name; of several jobs the worst, and how many there are",
    "software": "the backup software",
    "type": "the type of the job",
    "status": "the worst verdict",
    "time": "when that run was",
    "message": "what that run says",
    "objects": "its objects that are not good, a line each",
    "details": "all of this for each job",
    "link": "the address of the job's page",
}

MOST_OBJECTS = 20
MOST_JOBS = 10
LONGEST_MESSAGE = 600
LONGEST_OBJECT = 200
LONGEST_DETAILS = 6_500  # so that what follows is not cut off by the ticketing system

_NAME = re.compile(r"\{([a-z_]+)\}")
_GAP = re.compile(r"\n{3,}")


@dataclass(frozen=True, kw_only=True, slots=True)
class JobTrouble:
    """The last run of a job that is not good. `objects` are what is wrong with each."""

    job: str
    software: str
    backup_type: str
    status: Status
    time: str
    message: str = ""
    objects: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class TicketFacts:
    """What a ticket is about: jobs of one customer, the worst one first, at least one."""

    customer: str
    jobs: tuple[JobTrouble, ...]
    link: str = ""


def title_of(facts: TicketFacts, template: str = "") -> str:
    """Return the title, in one line."""
    return " ".join(_filled(template.strip() or TITLE, facts).split())


def description_of(facts: TicketFacts, template: str = "") -> str:
    """Return the description; where something is unknown there is no gap."""
    text = _filled(template.strip() or DESCRIPTION, facts)
    lines = (line.rstrip() for line in text.splitlines())
    return _GAP.sub("\n\n", "\n".join(lines)).strip()


def details_of(facts: TicketFacts) -> str:
    """Return all that is known of each job."""
    return _details(facts.jobs)


def unknown_names(template: str) -> list[str]:
    """Return the names in a template that stand for nothing, in order."""
    return [name for name in dict.fromkeys(_NAME.findall(template)) if name not in PLACEHOLDERS]


def _filled(template: str, facts: TicketFacts) -> str:
    worst = facts.jobs[0]
    more = len(facts.jobs) - 1
    values = {
        "customer": facts.customer,
        "job": f"{worst.job} and {more} more" if more else worst.job,
        "software": worst.software,
        "type": worst.backup_type,
        "status": worst.status.value,
        "time": worst.time,
        "message": _cut(worst.message, LONGEST_MESSAGE),
        "objects": "\n".join(_objects(worst)),
        "details": _details(facts.jobs),
        "link": facts.link,
    }
    return _NAME.sub(lambda found: values.get(found[1], found[0]), template)


def _details(jobs: Sequence[JobTrouble]) -> str:
    blocks: list[str] = []
    room = LONGEST_DETAILS
    for job in jobs[:MOST_JOBS]:
        block = _block(job)
        if blocks and len(block) > room:
            break
        blocks.append(block)
        room -= len(block)
    if left := len(jobs) - len(blocks):
        blocks.append(f"and {left} more {'job' if left == 1 else 'jobs'}")
    return "\n\n".join(blocks)


def _block(job: JobTrouble) -> str:
    what = ", ".join(part for part in (job.software, job.backup_type) if part)
    lines = [f"{job.job} ({what})" if what else job.job, f"{job.status.value}, {job.time}"]
    if job.message:
        lines.append(_cut(job.message, LONGEST_MESSAGE))
    return "\n".join([*lines, *_objects(job)])


def _objects(job: JobTrouble) -> Iterator[str]:
    for line in job.objects[:MOST_OBJECTS]:
        yield f"- {_cut(line, LONGEST_OBJECT)}"
    if (left := len(job.objects) - MOST_OBJECTS) > 0:
        yield f"and {left} more"


def _cut(text: str, longest: int) -> str:
    folded = " ".join(text.split())
    return folded if len(folded) <= longest else f"{folded[: longest - 1]}…"
