"""HTML of report mails, read in linear time: plain text and tables, behind guards against hostile nesting."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from selectolax.lexbor import LexborHTMLParser, LexborNode

from shared.parsers.html_guard import is_sane

_BLOCKS = frozenset(
    "address article blockquote br center dd div dl dt fieldset footer form h1 h2 h3 h4 h5 h6 header hr li main "
    "nav ol p pre section table tbody tfoot thead tr ul".split()
)
_AFTER = dict.fromkeys(_BLOCKS, "\n") | {"td": "\t", "th": "\t"}
_SILENT = frozenset({"script", "style", "head", "title", "noscript", "template"})
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")
_ANY_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Cell:
    """One table cell: its text, with line feeds between lines, and its attributes."""

    text: str
    header: bool
    colspan: int
    css_class: str
    style: str


Row = tuple[Cell, ...]


@lru_cache(maxsize=4)
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
    has_layout = document.css_first("table table") is not None
    return tuple(row for node in document.css("tr") if (row := _row(node, has_layout=has_layout)))


def cells(row: Row) -> list[str]:
    """Return the texts of a row on one line each."""
    return [" ".join(cell.text.split()) for cell in row]


def _row(node: LexborNode, *, has_layout: bool) -> Row:
    found = []
    for child in node.iter():
        tag = child.tag
        if tag not in ("td", "th") or (has_layout and child.css_first("table") is not None):
            continue
        said = child.attributes
        found.append(
            Cell(
                text=_text(child),
                header=tag == "th",
                colspan=_number(said.get("colspan")),
                css_class=said.get("class") or "",
                style=said.get("style") or "",
            )
        )
    return tuple(found)


def _text(cell: LexborNode) -> str:
    only = cell.child
    if only is None:
        return ""
    if only.next is None and only.tag == "-text":  # most cells of a big table
        return _ANY_SPACE.sub(" ", only.text_content or "").strip()
    return _tidy("".join(_pieces(cell)))


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 4 else 1


@lru_cache(maxsize=4)
def _document(html: str) -> LexborHTMLParser | None:
    """Return the parsed document, or None when its nesting or size is out of all reason."""
    return LexborHTMLParser(html) if is_sane(html) else None


def _pieces(node: LexborNode) -> Iterator[str]:
    """Yield the text below `node` with its line breaks and tabs, without recursion."""
    waiting = _inside(node, preformatted=False)
    while waiting:
        found, preformatted = waiting.pop()
        if isinstance(found, str):
            yield found
            continue
        tag = found.tag
        if tag == "-text":
            text = found.text_content or ""
            yield text if preformatted else _ANY_SPACE.sub(" ", text)
        elif tag == "br":
            yield "\n"
        elif tag is not None and tag not in _SILENT and not tag.startswith("-"):
            if tag in _BLOCKS:
                yield "\n"
            waiting.append((_AFTER.get(tag, ""), preformatted))
            waiting += _inside(found, preformatted=preformatted or tag == "pre")


def _inside(node: LexborNode, *, preformatted: bool) -> list[tuple[LexborNode | str, bool]]:
    found: list[tuple[LexborNode | str, bool]] = [(child, preformatted) for child in node.iter(include_text=True)]
    return found[::-1]


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
        silent = lowered.startswith(("script", "style"), start + 1)
        end = lowered.find(f"</{lowered[start + 1 : start + 4]}" if silent else ">", start + 1)
        if end < 0:
            return _tidy(" ".join(out))
        position = end + (0 if silent else 1)
    out.append(html[position:])
    return _tidy(" ".join(out))
