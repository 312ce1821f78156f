"""The HTML of a mail as a document that shows what the mail says and can do nothing.

Three walls, each enough alone: what is written here keeps markup and styles only; the policy in HEADERS lets the
document load nothing and run nothing; the frame around it is sandboxed and has an origin of its own.
"""

import re

import nh3
from markupsafe import Markup, escape

from shared.parsers.html import plain_text
from shared.parsers.html_guard import is_sane

HEADERS = {
    "Content-Security-Policy": (
        "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        "form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
}

TAGS = frozenset(
    "a abbr address article aside b big blockquote br caption center code col colgroup dd del div dl dt em font "
    "footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main nav ol p pre q s samp section small span strike strong "
    "style sub sup table tbody td tfoot th thead tr tt u ul var".split()
)
# Their text is no text for a reader.
DROPPED_WITH_CONTENT = frozenset({"script", "title", "template", "noscript", "iframe", "object", "svg", "math"})
LOOKS = frozenset(
    "align alt bgcolor border cellpadding cellspacing class color colspan dir face height id lang nowrap rowspan size "
    "span start style summary title type valign value vspace hspace width".split()
)
_PICTURE = re.compile(r"data:image/(?:png|jpe?g|gif|webp);base64,", re.IGNORECASE)


def _kept(_tag: str, name: str, value: str) -> str | None:
    return value if name != "src" or _PICTURE.match(value) else None


_cleaner = nh3.Cleaner(
    tags=set(TAGS),
    clean_content_tags=set(DROPPED_WITH_CONTENT),
    # No address of a link: a frame without rights can still be led away by a click.
    attributes={"*": set(LOOKS), "img": {"src"}},
    attribute_filter=_kept,
    url_schemes={"data"},
    link_rel=None,
)

# A mail is written for white paper, in any theme.
_PAPER = Markup(
    "html{color-scheme:light;background:#fff;color:#1f2328}body{margin:12px;font:14px/1.45 system-ui,sans-serif}"
    "body>pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere;font:13px/1.5 ui-monospace,monospace}"
)
_DOCUMENT = Markup(
    '<!doctype html><html lang="und"><head><meta charset="utf-8">'
    '<meta name="viewport" content="width=device-width, initial-scale=1"><title>{}</title>'
    "<style>{}</style></head><body>{}</body></html>"
)


def mail_document(*, subject: str, html: str, text: str) -> str:
    """Return the document of a mail: its HTML without teeth, or its text where it has no HTML to show."""
    content = sanitised(html) if html.strip() and is_sane(html) else ""
    if not content.strip():
        words = escape(text.strip() or plain_text(html)) or Markup("<em>This mail is empty.</em>")
        return str(_DOCUMENT.format(subject, _PAPER, Markup("<pre>{}</pre>").format(words)))
    return str(_DOCUMENT.format(subject, _PAPER, Markup(content)))  # noqa: S704 -- cleaned above


def sanitised(html: str) -> str:
    """Return the markup and styles of `html`, without anything that acts, loads, or leads elsewhere."""
    return _cleaner.clean(html)
