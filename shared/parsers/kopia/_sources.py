"""The sources (paths) that a snapshot report lists, from its text or its HTML."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shared.domain.mail import Mail
from shared.parsers.html import cells, rows
from shared.parsers.text import one_line

# The status stands only in the class of the row; mail programs may rewrite the quotes.
_ROW_STATUS = re.compile(r"<tr\s[^<>]{0,200}?snapshotstatus-(?P<word>[a-z]{1,30})", re.IGNORECASE)


@dataclass(kw_only=True, slots=True)
class Source:
    path: str
    word: str = ""
    started: str = ""
    size: str = ""
    error: str = ""
    failed_entries: list[str] = field(default_factory=list)

    @property
    def message(self) -> str:
        return "; ".join([self.error] * bool(self.error) + self.failed_entries)


def sources(mail: Mail) -> tuple[Source, ...]:
    """Return the sources in the mail's order, of a mail with both bodies those of the text."""
    from_text = tuple(_from_text(mail.text.split("\n")))
    return from_text or tuple(_from_html(mail.html))


def is_whole(mail: Mail) -> bool:
    """Tell whether the report's last line has arrived."""
    lines = mail.body.split("\n")
    return any(line.strip().startswith("Generated at ") and " by Kopia" in line for line in lines)


def _from_text(lines: Iterable[str]) -> Iterator[Source]:
    source: Source | None = None
    in_entries = False
    for line in map(str.strip, lines):
        label, _, value = line.partition(":")
        if label == "Path":
            if source:
                yield source
            source, in_entries = Source(path=value.strip()), False
        elif line.startswith("Generated at "):
            break
        elif source and in_entries and line.startswith("- "):
            source.failed_entries.append(line.removeprefix("- "))
        elif source and line == "Failed Entries:":
            in_entries = True
        elif source and not in_entries:
            _note(source, label, value.strip())
    if source:
        yield source


def _note(source: Source, label: str, value: str) -> None:
    match label:
        case "Status":
            source.word = value.lower()
        case "Start":
            source.started = value
        case "Size":
            source.size = value
        case "Error":
            source.error = value


def _from_html(html: str) -> Iterator[Source]:
    words = [match["word"].lower() for match in _ROW_STATUS.finditer(html)]
    report = [row for row in rows(html) if row and not row[0].header and (len(row) >= 6 or row[0].colspan == 6)]
    if len(words) != len(report):
        # Somebody's mail program rewrote the classes: no row's status can be trusted.
        words = [""] * len(report)
    source: Source | None = None
    for word, row in zip(words, report, strict=True):
        if len(row) >= 6:
            if source:
                yield source
            path, started, _, size, *_ = cells(row)
            source = Source(path=path, word=word, started=started, size=size)
        elif source:
            _note_html(source, row[0].text)
    if source:
        yield source


def _note_html(source: Source, text: str) -> None:
    label, _, value = text.partition(":")
    if label == "Error":
        source.error = one_line(value)
    elif label == "Failed Entries":
        source.failed_entries += [line.strip() for line in value.split("\n") if line.strip()]
