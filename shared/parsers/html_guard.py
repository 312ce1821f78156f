"""Tells markup of a report from markup made to keep an HTML parser busy, in linear time.

Lexbor is quadratic in the depth of a document, and an unclosed formatting tag is repeated in every block that
follows. So the tags are counted first, split exactly as the HTML standard splits them: whatever could hide a
tag from the count (comments, quoted values, raw text) is read over, and what would need more than that is refused.
"""

import re

MAX_DEPTH = 400  # real reports stay under 40
MAX_TAGS = 220_000
MAX_REPEATED = 1_000_000  # formatting tags that a parser would open again

_SPACE = r"[ \t\n\f\r]"
_MARKUP = re.compile(
    rf"""<(?:
      (?P<comment>!--(?:-?>|(?s:.*?)(?:--!?>|\Z)))
    | (?P<other>[!?][^>]*>?|/[^a-zA-Z>][^>]*>?)
    | (?P<closes>/?)(?P<name>[a-zA-Z][^ \t\n\f\r/>]*+)
      (?:[ \t\n\f\r/]*+[^ \t\n\f\r/>][^ \t\n\f\r/>=]*+
         (?:{_SPACE}*+={_SPACE}*+(?:"[^"]*+(?:"|\Z)|'[^']*+(?:'|\Z)|[^ \t\n\f\r>"'][^ \t\n\f\r>]*+)?)?+)*+
      [ \t\n\f\r/]*+(?:>|\Z)
    )""",
    re.VERBOSE,
)
# These never nest by themselves: a parser closes an open one when the next begins.
_NOT_NESTING = frozenset(
    "br hr img input meta link col wbr area base source td th tr li p dd dt option tbody thead tfoot".split()
)
_FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
_RAW = {name: re.compile(rf"</{name}(?=[ \t\n\f\r/>])", re.IGNORECASE) for name in ("style", "title", "script")}
# Rules of their own, in which the count below would go wrong; no report needs them.
_REFUSED = frozenset("svg math template select textarea xmp iframe noembed noframes plaintext frameset".split())


def is_sane(html: str) -> bool:
    """Tell whether a parser may be fed this: nesting and size are those of a report, not of an attack."""
    if html.count("<") <= MAX_DEPTH // 2:
        return True
    open_tags: list[str] = []
    position = tags = formatting = repeated = 0
    while (start := html.find("<", position)) >= 0:
        found = _MARKUP.match(html, start)
        position = found.end() if found else start + 1
        name = (found["name"] or "").lower() if found else ""
        if found is None or not name or name in _NOT_NESTING:
            repeated += formatting
        elif found["closes"]:
            if open_tags and open_tags[-1] == name:  # others close nothing, or more than we know
                open_tags.pop()
                formatting -= name in _FORMATTING
        elif name in _RAW:
            end = _RAW[name].search(html, position)
            if name == "script" and html.find("<!--", position, end.start() if end else None) >= 0:
                return False  # may go on behind its end
            position = end.end() if end else len(html)
        else:
            open_tags.append(name)
            repeated += formatting
            formatting += name in _FORMATTING
        tags += 1
        if len(open_tags) > MAX_DEPTH or tags > MAX_TAGS or repeated > MAX_REPEATED or name in _REFUSED:
            return False
    return True
