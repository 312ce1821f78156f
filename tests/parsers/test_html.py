"""What a reader sees of a mail's HTML."""

from shared.parsers.html import plain_text


def test_preformatted_text_keeps_its_lines() -> None:
    html = "<p>Log\nof the night</p><pre>first\n  <font color=red>second\n</font>third</pre>"

    assert plain_text(html) == "Log of the night\n\nfirst\nsecond\nthird"
