"""Which of Veeam's mails a mail is. Every parser of this folder asks here, so that no two claim one mail."""

import re
from enum import Enum, auto
from functools import lru_cache

from shared.domain.mail import Mail
from shared.parsers.html import plain_text
from shared.parsers.text import fold, wall_clock
from shared.parsers.veeam._frame import JOB_TITLE
from shared.parsers.veeam._subject import Subject, subject_of
from shared.parsers.veeam._tables import FOOTER

_TITLE_LINE = re.compile(r"^[> ]{0,8}" + JOB_TITLE.pattern + "$", re.MULTILINE)
_FOOTER_LINE = re.compile(r"^[> ]{0,8}" + FOOTER.pattern + r"\s*$", re.MULTILINE)
SUMMARY = re.compile(r"\bLast \d{1,4} \w+: (?P<failed>\d{1,7}) Errors?, (?P<warned>\d{1,7}) Warnings?, "
                     r"(?P<good>\d{1,7}) Success(?:es)?\b", re.IGNORECASE)  # fmt: skip
REPOSITORY = re.compile(r"^[> ]{0,8}Scale-out backup repository (?P<name>[^\n\t]+)$", re.MULTILINE | re.IGNORECASE)
VEE_MAIL = re.compile(r"(?P<host>\S+) - (?P<when>[^()]{8,60}) \((?P<job>.+) - (?P<kind>[\w ]{3,20})\)")
_REPORT_SUBJECT = re.compile(r"(?:.* )?(?:veeam )?cloud connect (?:daily )?report")
_POLICY_SUMMARY = re.compile(r"^Assigned\t\d.*\n+Configured\t\d", re.MULTILINE)
_RESCAN_SUMMARY = re.compile(r"^Assigned\t\d.*\n+Seen\t\d", re.MULTILINE)


class Family(Enum):
    """A layout, as one module each reads."""

    JOB = auto()
    POLICY = auto()
    RESCAN = auto()
    REPOSITORY = auto()
    WINDOWS_AGENT = auto()
    LINUX_AGENT = auto()
    M365 = auto()
    CLOUD_CONNECT = auto()
    ENTERPRISE_MANAGER = auto()


_BY_PRODUCT = {
    "Backup & Replication": Family.JOB,
    "Backup for Microsoft 365": Family.M365,
    "Backup for Microsoft Office 365": Family.M365,
    "Agent for Microsoft Windows": Family.WINDOWS_AGENT,
    "Agent for Linux": Family.LINUX_AGENT,
}


@lru_cache(maxsize=4)
def family_of(mail: Mail) -> Family | None:
    """Return which of Veeam's layouts a mail has, or None when it is none of Veeam's."""
    text = _text_of(mail)
    subject = subject_of(mail)
    if SUMMARY.search(mail.subject) or ("Performance Rate" in text and _TITLE_LINE.search(text)):
        return Family.ENTERPRISE_MANAGER
    if (title := _TITLE_LINE.search(text)) and _is_marked(text, title.end(), subject):
        return _by_product(text, subject)
    return _without_title(text, mail.subject) or _by_subject(subject, text)


def _text_of(mail: Mail) -> str:
    """Return what readers of the text and of the HTML see: a text part may be a stub."""
    if mail.html and mail.text.strip() and ("Veeam" in mail.html or " job: " in mail.html):
        return f"{mail.body}\n{plain_text(mail.html)}"
    return mail.body


def _is_marked(text: str, title_end: int, subject: Subject) -> bool:
    """Say whether more than the title shows that this is Veeam's: other products write "Backup job: …" too."""
    if subject.is_counted or "Veeam" in text or "Name\tStatus\tStart time" in text:
        return True
    return text[title_end : title_end + 12].lstrip("\n> ").startswith("Created by")


def _by_product(text: str, subject: Subject) -> Family:
    """Return the product by the closing line, or else by the description of a mail without one."""
    footers = [match["product"] for match in _FOOTER_LINE.finditer(text)]
    if footers:
        return _BY_PRODUCT[footers[-1]]
    if "Vee-Mail Version" in text:
        return Family.LINUX_AGENT
    lines = {line.strip("> ") for line in text.split("\n")[:200]}
    described = next((family for product, family in _BY_PRODUCT.items() if f"Veeam {product}" in lines), None)
    return described or (Family.M365 if subject.is_of_m365 else Family.JOB)


def _without_title(text: str, subject: str) -> Family | None:
    """Return which of the reports without a job it is."""
    if "Infrastructure status:" in text and "Cloud Connect" in text:
        return Family.CLOUD_CONNECT
    if "Veeam" in text + subject and _REPORT_SUBJECT.fullmatch(fold(subject)):
        return Family.CLOUD_CONNECT
    if REPOSITORY.search(text) and ("Performance Tier" in text or "Veeam" in text or REPOSITORY.search(subject)):
        return Family.REPOSITORY
    if _POLICY_SUMMARY.search(text):
        return Family.POLICY
    return Family.RESCAN if _RESCAN_SUMMARY.search(text) else None


def _by_subject(subject: Subject, text: str) -> Family | None:
    """Return the product of a mail whose report is missing or cut before it says anything."""
    if subject.is_counted:
        return Family.M365 if subject.is_of_m365 else Family.JOB
    if subject.status is None:
        return None
    if (match := VEE_MAIL.fullmatch(subject.name)) and _is_moment(match["when"]):
        return Family.LINUX_AGENT
    parts = subject.name.split(" - ")
    if len(parts) > 2 and _is_moment(parts[-1]) and (not text.strip() or "Veeam" in text):
        return Family.WINDOWS_AGENT
    return None


def _is_moment(text: str) -> bool:
    return ":" in text and wall_clock(text) is not None
