"""Makes report mails of invented customers out of the project's sample mails: other names, other nights."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from email.header import Header
from email.utils import format_datetime
from functools import cache
from html import escape
from pathlib import Path
from zoneinfo import ZoneInfo

from infra.local.demo.dates import Found, dates_in
from shared.domain.mail import Mail
from shared.domain.reading import Kind, Parsed, Reading, Unreadable
from shared.parsers import registry
from shared.parsers.eml import mail_from_eml

PARSERS = Path(registry.__file__).parent
ZONE = ZoneInfo("Europe/Amsterdam")
MACHINE = re.compile(r"[A-Za-z0-9]+([-.][A-Za-z0-9]+)+")


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A sample mail, and what the parsers read in it."""

    mail: Mail
    sent_at: datetime  # where the customer is
    job_name: str
    origin: str
    objects: tuple[str, ...]

    @property
    def companies(self) -> set[str]:
        """The names in the addresses of the sender and of the origin, as in `kuipers.example`."""
        hosts = (self.mail.from_address.rpartition("@")[2], self.origin)
        return {host.split(".")[-2] for host in hosts if "." in host}


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """What the mails of one job call things. An empty `job` or `host` leaves the sample's."""

    company: str  # as in addresses
    short: str  # as in host names
    sender: str  # as in `From`
    domain: str
    job: str = ""
    host: str = ""
    machines: tuple[str, ...] = ()


@cache
def sample(name: str) -> Sample:
    """Return the sample `vendor/name`."""
    vendor, _, file = name.partition("/")
    mail = mail_from_eml((PARSERS / vendor / "samples" / f"{file}.eml").read_bytes())
    assert mail.sent_at is not None  # no night could be told from another
    outcome = registry.read(mail)
    found: Reading | Unreadable | None = None
    match outcome:
        case Parsed():
            found = outcome.readings[0]
        case Unreadable():
            found = outcome
    return Sample(
        mail=mail,
        sent_at=mail.sent_at.astimezone(ZONE),
        job_name=(found.job_name if found else None) or "",
        origin=(found.origin if found else None) or "",
        objects=_objects(found),
    )


def _objects(found: Reading | Unreadable | None) -> tuple[str, ...]:
    if not isinstance(found, Reading) or found.kind is not Kind.REGULAR:
        return ()
    return tuple(dict.fromkeys(each.name for each in found.objects))


def names_for(good: Sample, *, company: str, short: str, domain: str, job: str = "", host: str = "") -> Names:
    """Return the names for the mails of a job that `good` is a quiet night of."""
    mailbox, _, _ = good.mail.from_address.partition("@")
    for name in good.companies:
        mailbox = mailbox.replace(name, short.lower())
    return Names(
        company=company,
        short=short,
        sender=f"{mailbox}@{domain}",
        domain=domain,
        job=job,
        host=host,
        machines=tuple(_machine(name, short) for name in good.objects if _is_machine(good, name)),
    )


def _machine(name: str, short: str) -> str:
    """Return a name of the customer's own that keeps what the machine is for."""
    return f"{short}-{name.partition('.')[0].rpartition('-')[2].upper()}"


def _is_machine(source: Sample, name: str) -> bool:
    return name not in (source.job_name, source.origin) and MACHINE.fullmatch(name) is not None


class Template:
    """One sample in the words of one job; only the night is open."""

    def __init__(self, source: Sample, names: Names) -> None:
        self._source = source
        self._names = names
        words = _new_words(source, names)
        self._pattern = re.compile("|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in sorted(words, key=_longest)))
        self._words = words
        near = source.sent_at.date()
        self._subject, self._text, self._html = (
            _pieces(self._renamed(part), near) for part in (source.mail.subject, source.mail.text, source.mail.html)
        )

    def eml(self, arrival: datetime, key: str) -> bytes:
        """Return the mail that comes in at `arrival`; `key` is unique among all mails."""
        local = arrival.astimezone(ZONE)
        shift = local.date() - self._source.sent_at.date()
        subject, text, html = (_written(part, shift) for part in (self._subject, self._text, self._html))
        stamp = format_datetime(local)
        headers = [
            f"Received: from mail.{self._names.domain} by mx.msp.example with ESMTPS id {key}; {stamp}",
            f"From: {self._names.sender}",
            "To: reports@msp.example",
            f"Subject: {Header(subject, 'us-ascii' if subject.isascii() else 'utf-8', maxlinelen=900).encode()}",
            f"Date: {stamp}",
            f"Message-ID: <{key}@{self._names.domain}>",
            "MIME-Version: 1.0",
        ]
        return "\n".join([*headers, *_body(text, html)]).encode()

    def _renamed(self, text: str) -> str:
        return self._pattern.sub(lambda found: self._words[found[0]], text)


def _new_words(source: Sample, names: Names) -> Mapping[str, str]:
    """Return what each name of the sample becomes; facts come before the company's name inside them."""
    words = {source.mail.from_address.rpartition("@")[2]: names.domain}
    for company in source.companies:
        words |= {
            company: names.company,
            company.capitalize(): names.company.capitalize(),
            company.upper(): names.short,
        }
    machines = [name for name in source.objects if _is_machine(source, name)]
    words |= {name: _machine(name, names.short) for name in machines}
    words |= dict(zip(machines, names.machines, strict=False))  # the same machines, whatever the night
    if source.job_name and names.job:
        words[source.job_name] = names.job
    if source.origin and names.host:
        words[source.origin] = names.host
    return words | {escape(old): new for old, new in words.items()}


def _longest(word: str) -> int:
    return -len(word)


Piece = str | Found


def _pieces(text: str, near: date) -> list[Piece]:
    pieces: list[Piece] = []
    done = 0
    for found in dates_in(text, near):
        pieces += [text[done : found.start], found]
        done = found.end
    return [*pieces, text[done:]]


def _written(pieces: Sequence[Piece], shift: timedelta) -> str:
    return "".join(piece if isinstance(piece, str) else piece.write(piece.day + shift) for piece in pieces)


def _body(text: str, html: str) -> Iterable[str]:
    parts = [(kind, content) for kind, content in (("plain", text), ("html", html)) if content]
    if len(parts) < 2:
        kind, content = parts[0] if parts else ("plain", "")
        return _part(kind, content)
    lines = ['Content-Type: multipart/alternative; boundary="=_demo"', ""]
    for kind, content in parts:
        lines += ["--=_demo", *_part(kind, content)]
    return [*lines, "--=_demo--", ""]


def _part(kind: str, content: str) -> list[str]:
    return [f"Content-Type: text/{kind}; charset=utf-8", "Content-Transfer-Encoding: 8bit", "", content]
