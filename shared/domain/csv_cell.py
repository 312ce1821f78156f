"""Cells of CSV files: what a spreadsheet would run as a formula is written as text, and read back as it was."""

import re

_FORMULA = re.compile(r"'*[=+\-@\t\r]")


def guarded(text: str) -> str:
    """Return `text` for a cell: behind an apostrophe where a spreadsheet would take it for a formula.

    Text that already begins with apostrophes before such a sign gets one more, so that `unguarded` takes back
    exactly what was added.
    """
    return f"'{text}" if _FORMULA.match(text) else text


def unguarded(cell: str) -> str:
    """Return the text that `guarded` wrote into a cell."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
