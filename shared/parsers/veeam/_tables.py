"""The tables of objects in a Veeam mail, and the line that closes the mail."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.parsers.text import fold, one_line

FOOTER = re.compile(
    r"Veeam (?P<product>Backup & Replication|Backup for Microsoft (?:Office )?365|Agent for Microsoft Windows"
    r"|Agent for Linux) v?\d[\d.]*(?:[ ,][^\n]{0,200})?"
)
_FIRST_COLUMNS = frozenset({"name", "extent"})

Row = list[str]


@dataclass(frozen=True, kw_only=True, slots=True)
class Table:
    """A table of objects: its folded column names and its rows."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]

    def value(self, row: Row, column: str) -> str:
        """Return a row's text below `column`; empty where the row has none."""
        at = self.columns.index(column) if column in self.columns else len(row)
        return one_line(row[at]) if at < len(row) else ""


def is_furniture(line: str) -> bool:
    return fold(line) == "details" or FOOTER.fullmatch(line) is not None


def is_table_header(row: Row) -> bool:
    return len(row) > 2 and fold(row[0]) in _FIRST_COLUMNS and any(fold(cell) == "status" for cell in row)


def tables_of(part: Sequence[Row], *, in_text: bool) -> tuple[tuple[Table, ...], tuple[str, ...]]:
    """Return the tables, each up to its first row of one cell, and the lines that belong to none."""
    tables: list[_OpenTable] = []
    ending: list[str] = []
    is_open = is_below_a_row = False
    for row in part:
        is_single = len(row) == 1 or len(list(filter(None, row))) < 2
        if in_text and is_single and not row[0]:
            is_below_a_row = False  # converters put empty lines between rows, none inside a message
            continue
        if is_table_header(row):
            tables.append(_OpenTable(columns=tuple(fold(cell) for cell in row)))
            is_open, is_below_a_row = True, False
        elif is_open and not is_single:
            tables[-1].rows.append([row])
            is_below_a_row = in_text
        elif is_open and is_below_a_row and not is_furniture(row[0]):
            tables[-1].rows[-1].append(row)
        else:
            is_open = False
            ending.append(one_line(" ".join(row)))
    return tuple(table.closed() for table in tables), tuple(ending)


@dataclass(frozen=True, slots=True)
class _OpenTable:
    """A table while its rows are found; in text forms lines of one cell continue the last message."""

    columns: tuple[str, ...]
    rows: list[list[Row]] = field(default_factory=list)

    def closed(self) -> Table:
        whole = tuple([*row[:-1], "\n".join([row[-1], *(line[0] for line in more)])] for row, *more in self.rows)
        return Table(columns=self.columns, rows=whole)
