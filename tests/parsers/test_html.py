"""What a reader sees of a mail's HTML, and what is never fed to the HTML parser."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser, LexborNode

from shared.parsers.html import cells, plain_text, rows, title
from shared.parsers.html_guard import MAX_DEPTH, is_sane

# The shapes in which an attack hides tags from a count.
PIECES = (
    "<div>", "</div>", "<b>", "</b>", "<table>", "</table>", "<tr>", "<td>", "</td>", "<p>", "</p>", "<a x='", "'>",
    '<i y=">', '">', "<!--", "-->", "--!>", "<!-->", "<style>", "</style>", "<script>", "</script>", "<title>",
    "</title>", "text", "<", "</", "</x>", "=", '"', "'", '<div =">', "<font size=1>", "</font>", "<li>", "<ul>",
    "<center>", "</center>", "<?", "<!", ">", "<h1>", "<form>", "<button>", "<svg>", "<select>", "<nobr>",
)  # fmt: skip


def test_preformatted_text_keeps_its_lines() -> None:
    html = "<p>Log\nof the night</p><pre>first\n  <font color=red>second\n</font>third</pre>"

    assert plain_text(html) == "Log of the night\n\nfirst\nsecond\nthird"


@pytest.mark.parametrize(
    "html, text",
    [
        ("", ""),
        ("plain", "plain"),
        ("<p>one<p>two", "one\n\ntwo"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<b>a</b> <i>b</i>&nbsp;c", "a b c"),
        ("<table><tr><td>a<td>b<tr><td>c</table>", "a\tb\n\nc"),
        ("<head><title>t</title><style>p{}</style></head><script>x()</script>seen", "seen"),
        ("<!-- hidden -->seen", "seen"),
        ("<div><div><div>deep</div></div></div>", "deep"),
        ("&lt;b&gt; &amp; &eacute;", "<b> & é"),
    ],
)
def test_plain_text_is_what_a_reader_sees(html: str, text: str) -> None:
    assert plain_text(html) == text


def test_rows_come_in_order_with_layout_tables_opened() -> None:
    html = (
        "<table><tr><td><table><tr><th colspan=2>Head</th></tr><tr><td class=ok>a <b>b</b></td><td>c<br>d</td></tr>"
        "</table></td><td>beside</td></tr></table>"
    )

    assert [cells(row) for row in rows(html)] == [["beside"], ["Head"], ["a b", "c d"]]
    assert (rows(html)[1][0].header, rows(html)[1][0].colspan, rows(html)[2][0].css_class) == (True, 2, "ok")


def test_the_title_is_found() -> None:
    assert title("<title> Report </title>") == "Report"
    assert title("<p>none</p>") == ""


@pytest.mark.parametrize(
    "html",
    [
        "<table>" + "<tr><td><font size=1><b>x</b></font><td>y" * 5_000 + "</table>",
        "<html><head><style>div{}</style></head><body>" + "<div><p>a<p>b<br></div>" * 5_000,
        "<p class='a>b'>x</p>" * 5_000,
        "<script>if (a < b) { c('</div>') }</script>" * 300,
        "<div>" * MAX_DEPTH + "x",
    ],
    ids=["big table", "blocks", "quoted values", "scripts", "as deep as allowed"],
)
def test_reports_are_sane(html: str) -> None:
    assert is_sane(html)


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6), st.integers(300, 900))
def test_what_passes_as_sane_is_never_deep(pieces: list[str], times: int) -> None:
    html = "".join(pieces) * times

    if is_sane(html):
        assert depth_of(html) <= 6 * MAX_DEPTH  # a table makes a body, a row and a cell of its own


def test_deep_markup_that_passes_is_read_without_recursion() -> None:
    assert plain_text("<table><tr><td>" * MAX_DEPTH + "end") == "end"


def test_what_is_not_sane_is_stripped_of_its_tags() -> None:
    html = "<div></x>" * 1_000 + "<style>no</style><p>Failed<script>no()</script> at night</p>"

    assert not is_sane(html)
    assert " ".join(plain_text(html).split()) == "Failed at night"
    assert rows(html) == ()


def depth_of(html: str) -> int:
    root = LexborHTMLParser(html).root
    assert root is not None
    deepest, waiting = 0, [(root, 1)]
    while waiting:
        node, depth = waiting.pop()
        deepest = max(deepest, depth)
        children: list[LexborNode] = list(node.iter())
        waiting += [(child, depth + 1) for child in children]
    return deepest
