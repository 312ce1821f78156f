"""HTML of report mails, read in linear time: plain text and tables, behind guards against hostile nesting."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from selectolax.lexbor import LexborHTMLParser, LexborNode

MAX_DEPTH = 400  # Lexbor is quadratic in depth; real reports stay under 40
MAX_TAGS = 400_000

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# These never nest by themselves: a parser closes an open one when the next begins.
_NOT_NESTING = frozenset(
    "br hr img input meta link col wbr area base source td th tr li p dd dt option tbody thead tfoot".split()
)
_BLOCKS = frozenset(
    "address article blockquote br center dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header hr li main "
    "nav ol p pre section table tbody tfoot thead tr ul".split()
)
_SILENT = frozenset({"script", "style", "head", "title", "noscript", "template"})
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_ANY_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Cell:
    """One table cell: its text (lines joined by ``\\n``) and its attributes."""

    text: str
    header: bool
    colspan: int
    css_class: str
    style: str


Row = tuple[Cell, ...]


def plain_text(html: str) -> str:
    """Return what a reader sees: blocks on lines of their own, table cells separated by tabs."""
    if not html.strip():
        return ""
    document = _document(html)
    if document is None:
        return _without_tags(html)
    body = document.body or document.root
    return _tidy("".join(_pieces(body))) if body is not None else ""


def title(html: str) -> str:
    """Return the text of `<title>`, or an empty string."""
    document = _document(html)
    node = document.css_first("title") if document is not None else None
    return node.text(strip=True) if node is not None else ""


@lru_cache(maxsize=4)
def rows(html: str) -> tuple[Row, ...]:
    """Return every row of every table in document order.

    A cell that holds a whole table of its own is left out of its row (layout tables), and the
    inner table's rows follow in their place.
    """
    document = _document(html)
    if document is None:
        return ()
    return tuple(row for node in document.css("tr") if (row := _row(node)))


def cells(row: Row) -> list[str]:
    """Return the texts of a row on one line each."""
    return [" ".join(cell.text.split()) for cell in row]


def _row(node: LexborNode) -> Row:
    found = []
    for child in node.iter():
        if child.tag not in ("td", "th") or child.css_first("table") is not None:
            continue
        found.append(
            Cell(
                text=_tidy("".join(_pieces(child))),
                header=child.tag == "th",
                colspan=_number(child.attributes.get("colspan")),
                css_class=child.attributes.get("class") or "",
                style=child.attributes.get("style") or "",
            )
        )
    return tuple(found)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 4 else 1


@lru_cache(maxsize=4)
def _document(html: str) -> LexborHTMLParser | None:
    """Return the parsed document, or None when its nesting or size is out of all reason."""
    return LexborHTMLParser(html) if _is_sane(html) else None


def _is_sane(html: str) -> bool:
    depth = count = 0
    for match in _TAG.finditer(html):
        count += 1
        if match[2].lower() not in _NOT_NESTING:
            depth = max(0, depth - 1) if match[1] else depth + 1
        if depth > MAX_DEPTH or count > MAX_TAGS:
            return False
    return True


def _pieces(node: LexborNode, *, preformatted: bool = False) -> Iterator[str]:
    for child in node.iter(include_text=True):
        tag = child.tag
        if tag == "-text":
            text = child.text_content or ""
            yield text if preformatted else _ANY_SPACE.sub(" ", text)
        elif tag is None or tag in _SILENT or tag.startswith("-"):
            continue
        elif tag == "br":
            yield "\n"
        elif tag in _BLOCKS:
            yield "\n"
            yield from _pieces(child, preformatted=preformatted or tag == "pre")
            yield "\n"
        else:
            yield from _pieces(child, preformatted=preformatted)
            if tag in ("td", "th"):
                yield "\t"


def _tidy(text: str) -> str:
    """Strip lines, join runs of blanks (to a tab where one was), and keep at most one empty line."""
    lines = [_SPACES.sub(lambda run: "\t" if "\t" in run[0] else " ", line).strip() for line in text.split("\n")]
    kept = (line for above, line in zip(["", *lines], lines, strict=False) if line or above)
    return "\n".join(kept).strip()


def _without_tags(html: str) -> str:
    """Strip tags by scanning once: the way out for markup that no parser should be fed."""
    lowered = html.lower()
    out: list[str] = []
    position = 0
    while (start := lowered.find("<", position)) >= 0:
        out.append(html[position:start])
        silent = next((tag for tag in ("script", "style") if lowered.startswith(tag, start + 1)), None)
        end = lowered.find(f"</{silent}" if silent else ">", start + 1)
        if end < 0:
            return _tidy(" ".join(out))
        position = end + (0 if silent else 1)
    out.append(html[position:])
    return _tidy(" ".join(out))
