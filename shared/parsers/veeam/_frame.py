"""The frame that nearly all Veeam mails share, read into blocks.

A coloured header row (title and description at the left; status word and "N of M … processed" at the
right), a long date, three rows of label and value pairs with the job's messages beside them, then tables of
objects, at last the product with its version. Mails come as nested HTML tables or as text in which tabs
part the cells; labels are English everywhere, dates and decimals follow the machine.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

from shared.domain.mail import Mail
from shared.parsers.html import plain_text, rows
from shared.parsers.text import duration, first_label, fold, one_line, size_in_bytes, wall_clock
from shared.parsers.veeam._tables import FOOTER, Row, Table, is_furniture, is_table_header, tables_of
from shared.parsers.veeam._words import status_of

JOB_TITLE = re.compile(r"(?P<type>[^\s:>][^\n:]{1,60}) job: (?P<name>[^\n\t]+)")
_PROCESSED = re.compile(r"(?P<done>\d{1,7}) of (?P<total>\d{1,7}) (?P<unit>[A-Za-z ]{2,40}) processed")
_LABELS = frozenset(
    "success|warning|warnings|error|errors|start time|end time|duration|total size|data read|transferred"
    "|backup size|dedupe|compression|bottleneck|processing rate|assigned|configured|disconnected|processed"
    "|read|seen|updated".split("|")
)
_YEAR_AND_CLOCK = re.compile(r"\b20\d\d\b.{0,20}\b\d{1,2}[:.]\d\d[:.]\d\d\b")
_HEADER_LINES = 12  # a header in text form is never longer, however the mail was converted
_VALUE_CHARS = 100  # a size, a time or a date is never longer; hostile ones would keep the number patterns busy


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """One report inside a mail."""

    title: str
    description: str
    verdicts: tuple[str, ...]
    done: int | None
    total: int | None
    unit: str
    session: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    tables: tuple[Table, ...] = ()
    ending: tuple[str, ...] = ()
    has_footer: bool = False

    def count(self, *names: str) -> int | None:
        """Return the number beside one of the labels `names`, or None."""
        value = first_label(self.facts, names) or ""
        return int(value) if value.isascii() and value.isdigit() and len(value) < 8 else None

    @property
    def counted(self) -> int | None:
        """Return how many objects the header row of counts adds up to, or None when it has none."""
        counts = (self.count("success"), self.count("warning", "warnings"), self.count("error", "errors"))
        return None if None in counts else sum(number for number in counts if number is not None)

    @property
    def started_at(self) -> datetime | None:
        return wall_clock(self.session)

    @property
    def ended_at(self) -> datetime | None:
        """Return start plus duration: the end itself is a time without a date, perhaps past midnight."""
        took = duration(self.facts.get("duration", ""))
        return self.started_at + took if self.started_at and took is not None else None

    @property
    def size_bytes(self) -> int | None:
        return size_in_bytes(first_label(self.facts, ("backup size", "transferred", "total size")) or "")


def blocks_of(mail: Mail) -> list[Block]:
    """Return the reports in a mail, from its HTML where that holds any, else from its text."""
    if mail.html:
        has_footer = ends_with_product(plain_text(mail.html))
        found = [_block(part, in_text=False, has_footer=has_footer) for part in _parts(_html_grid(mail.html))]
        if found:
            return found
    has_footer = ends_with_product(mail.body)
    return [_block(part, in_text=True, has_footer=has_footer) for part in _parts(_text_grid(mail.body))]


def ends_with_product(text: str) -> bool:
    """Say whether the closing line of a whole mail is there: the product with its version."""
    return any(FOOTER.fullmatch(line.strip("> \t")) for line in text.split("\n"))


def _html_grid(html: str) -> list[Row]:
    return [[cell.text for cell in row] for row in rows(html) if row]


def _text_grid(body: str) -> list[Row]:
    """Return lines as rows, each header (title, description, status on lines of their own) as a row of two."""
    lines = [line.strip("> ").rstrip("\t") for line in body.split("\n")]
    grid: list[Row] = []
    at = 0
    while at < len(lines):
        if _is_text_header(lines, at):
            header, at = _text_header(lines, at)
            grid.extend(header)
        else:
            grid.append(lines[at].split("\t"))
            at += 1
    return grid


def _is_text_header(lines: Sequence[str], at: int) -> bool:
    if JOB_TITLE.fullmatch(lines[at]):
        return True
    # A title without "job:" (policies, repositories): only the lines up to a long date show what it is.
    if "\t" in lines[at] or not lines[at] or (at and lines[at - 1]):
        return False
    return any(_is_verdict(line) for line in _header_lines(lines, at)[1:6])


def _is_verdict(line: str) -> bool:
    counts = counted_verdicts(line)
    return status_of(line) is not None or (counts is not None and all(status_of(word) for word in counts))


def counted_verdicts(line: str) -> dict[str, int] | None:
    """Return what "2 Failed, 1 Success" counts, by word, or None when the line isn't of that form."""
    pairs = [part.split() for part in line.split(",")]
    if any(len(pair) != 2 or not pair[0].isascii() or not pair[0].isdigit() for pair in pairs):
        return None
    return {word: int(number[:7]) for number, word in pairs}


def _header_lines(lines: Sequence[str], at: int) -> list[str]:
    found: list[str] = []
    for line in lines[at : at + _HEADER_LINES]:
        if "\t" in line or (found and JOB_TITLE.fullmatch(line)):
            break
        # The counts below the date say "Error" too: where no tab shows that, the date ends the header.
        if _is_session([line]) and any(_is_verdict(above) for above in found[1:]):
            break
        found.append(line)
        if _PROCESSED.fullmatch(line):
            break
    return found


def _text_header(lines: Sequence[str], at: int) -> tuple[list[Row], int]:
    """Return the header as a row of two cells, the lines below it as rows, and where to go on.

    A description may itself read "Success": every line that is a status word counts, and the worst wins.
    """
    header = _header_lines(lines, at)
    words = [line for line in header[1:] if _is_verdict(line)]
    sums = [line for line in header if _PROCESSED.fullmatch(line)]
    last = max((index for index, line in enumerate(header) if line in words or line in sums), default=0)
    if not words:
        above = [line for line in header[1:last] if line] if sums else [line for line in header[1:] if line]
        words, last = above[-1:], last or len(header) - 1
    described = [line for line in header[1:last] if line and line not in words and line not in sums]
    title = ["\n".join([header[0], *described]), "\n".join([*words, *sums])]
    return [title, *([line] for line in header[last + 1 :])], at + len(header)


def _parts(grid: Sequence[Row]) -> Iterator[Sequence[Row]]:
    starts = [at for at in range(len(grid)) if _starts_a_block(grid, at)]
    for start, end in pairwise([*starts, len(grid)]):
        yield grid[start:end]


def _starts_a_block(grid: Sequence[Row], at: int) -> bool:
    row = grid[at]
    if len(row) > 2 or not row[0]:
        return False
    if JOB_TITLE.fullmatch(row[0].split("\n")[0]):
        return True
    return len(row) == 2 and bool(row[1]) and any(_is_session(below) for below in grid[at + 1 : at + 3])


def _is_session(row: Row) -> bool:
    """Say whether this is the long date; months of a language we can't read still have a year and a clock."""
    text = row[0][:_VALUE_CHARS]
    return len(row) == 1 and "\n" not in row[0] and bool(_YEAR_AND_CLOCK.search(text) or wall_clock(text))


def _block(part: Sequence[Row], *, in_text: bool, has_footer: bool) -> Block:
    left = part[0][0].split("\n")
    right = part[0][1].split("\n") if len(part[0]) > 1 else []
    processed = next((match for line in right if (match := _PROCESSED.fullmatch(line))), None)
    words = [line for line in right if line and not _PROCESSED.fullmatch(line)]
    summary_end = next((at for at, row in enumerate(part) if is_table_header(row)), len(part))
    session, facts, notes = _summary(part[1:summary_end])
    tables, ending = tables_of(part[summary_end:], in_text=in_text)
    return Block(
        title=one_line(left[0]),
        description=one_line(" ".join(left[1:])),
        verdicts=tuple(word for at, word in enumerate(words) if at == 0 or status_of(word)),
        done=int(processed["done"]) if processed else None,
        total=int(processed["total"]) if processed else None,
        unit=processed["unit"] if processed else "",
        session=session,
        facts=facts,
        notes=notes,
        tables=tables,
        ending=ending,
        has_footer=has_footer,
    )


def _summary(part: Sequence[Row]) -> tuple[str, dict[str, str], tuple[str, ...]]:
    """Return the long date, the labelled values and the job's own messages."""
    session, notes = "", []
    facts: dict[str, str] = {}
    for row in part:
        if _is_session(row) and not session:
            session = one_line(row[0])[:_VALUE_CHARS]
        else:
            notes += _pairs(row, facts)
    lines = (one_line(line) for note in notes for line in note.split("\n"))
    return session, facts, tuple(line for line in lines if line and not is_furniture(line))


def _pairs(row: Row, facts: dict[str, str]) -> list[str]:
    """Put the row's label and value pairs into `facts`; return the cells that are neither."""
    loose, at = [], 0
    names = [fold(cell).rstrip(":") for cell in row]
    while at < len(row):
        if names[at] not in _LABELS or len(row) == 1:
            loose.append(row[at])
            at += 1
            continue
        # Text forms drop empty cells: then the next label stands where the value should be.
        has_value = at + 1 < len(row) and names[at + 1] not in _LABELS
        facts.setdefault(names[at], one_line(row[at + 1])[:_VALUE_CHARS] if has_value else "")
        at += 2 if has_value else 1
    return loose
