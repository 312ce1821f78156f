"""Names of jobs, of what they protect, and of the machine or customer that a report comes from."""

import re

from shared.parsers.text import fold
from shared.parsers.veeam._frame import JOB_TITLE, Block
from shared.parsers.veeam._subject import Subject

_RUN_KINDS = frozenset(
    "full|incremental|differential|reverse incremental|active full|synthetic full|transform|retry".split("|")
)
_RETRY = re.compile(r"retry ?(?P<number>[0-9]{1,3})?")
_CREATED_BY = re.compile(r"Created by (?P<user>\S.{0,120}?)(?: at .{0,80})?\.?")
_OBJECT_TYPES = {
    "vms": "VM",
    "hosts": "Computer",
    "computers": "Computer",
    "machines": "Computer",
    "databases": "Database",
    "replica sets": "Replica set",
    "instances": "Instance",
    "shares": "File share",
    "file shares": "File share",
    "buckets": "Bucket",
    "mailboxes": "Mailbox",
    "sites": "Site",
    "organizations": "Organization",
}


def backup_type_of(block: Block) -> str:
    """Return the words before the job's name: "Backup Copy job"; plain "Job" without any."""
    match = JOB_TITLE.fullmatch(block.title)
    if match is None:
        return "Job"
    return "Configuration Backup" if match["type"] == "Configuration Backup" else f"{match['type']} job"


def job_name_of(block: Block, subject: Subject) -> str:
    """Return the job's name without the kind of run behind it: `Nightly (Retry 3)` is Nightly's third retry.

    A job may itself be called "SQL (Full)": when the subject has the longer name, it is the name.
    """
    name, _ = _name_and_kind(block, subject)
    return name


def retry_of(block: Block, subject: Subject) -> int | None:
    """Return the number of the retry that the report is of: 3 for `Nightly (Retry 3)`, 1 where none stands there."""
    _, kind = _name_and_kind(block, subject)
    match = _RETRY.fullmatch(kind)
    return int(match["number"] or 1) or 1 if match else None


def _name_and_kind(block: Block, subject: Subject) -> tuple[str, str]:
    match = JOB_TITLE.fullmatch(block.title)
    written = match["name"].strip() if match else block.title
    name, _, kind = written.rpartition(" (")
    kind = fold(kind.rstrip(")"))
    if not name or not written.endswith(")") or kind.rstrip("0123456789 ") not in _RUN_KINDS or subject.name == written:
        return written, ""
    return name.strip(), kind


def object_type_of(block: Block, backup_type: str) -> str:
    """Return what the rows are: the header counts VMs, hosts, databases …, or the type of job tells."""
    if backup_type == "Configuration Backup":
        return "Server"
    if backup_type == "Backup to Tape job":
        return "Backup job"
    if named := _OBJECT_TYPES.get(fold(block.unit)):
        return named
    return "Computer" if "Agent" in backup_type else "VM" if backup_type == "Backup job" else "Object"


def creator_domain(description: str) -> str | None:
    r"""Return the domain or machine of the account that made the job: `Created by NORTH\admin at …` is NORTH."""
    match = _CREATED_BY.fullmatch(description)
    if match is None:
        return None
    domain, slash, _ = match["user"].partition("\\")
    _, _, realm = match["user"].partition("@")
    return (domain if slash else realm).strip() or None
