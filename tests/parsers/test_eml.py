"""From bytes to a mail: charsets, parts, dates, forwarded reports."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.mail import Mail
from shared.parsers.bounds import YEARS
from shared.parsers.eml import MAX_BODY_CHARS, NotAMail, mail_from_eml
from tests.mails import NIGHT, report_mail

HEAD = b"From: Oak <Backup@OAK.example>\nSubject: Nightly\nMIME-Version: 1.0\n"


def plain(body: bytes, charset: str = "utf-8", encoding: str = "8bit") -> bytes:
    kind = f'Content-Type: text/plain; charset="{charset}"\nContent-Transfer-Encoding: {encoding}\n\n'
    return HEAD + kind.encode() + body


def parts(*kinds_and_bodies: tuple[str, bytes]) -> bytes:
    body = b"".join(b"--B\nContent-Type: " + kind.encode() + b"\n\n" + text + b"\n" for kind, text in kinds_and_bodies)
    return HEAD + b"Content-Type: multipart/mixed; boundary=B\n\n" + body + b"--B--\n"


def test_the_sender_is_a_name_and_a_lower_case_address() -> None:
    mail = mail_from_eml(plain(b"x"))

    assert (mail.from_name, mail.from_address) == ("Oak", "backup@oak.example")


@pytest.mark.parametrize(
    "declared, written_as",
    [
        ("utf-8", "utf-8"),
        ("cp1252", "cp1252"),
        ("ascii", "utf-8"),
        ("utf-8", "cp1252"),
        ("no-such-charset", "utf-8"),
        ("punycode", "utf-8"),
        ("utf-16", "utf-16"),
    ],
)
def test_a_body_is_read_whatever_charset_it_claims(declared: str, written_as: str) -> None:
    assert mail_from_eml(plain("été geslaagd".encode(written_as), declared)).body == "été geslaagd"


def test_text_is_composed_and_without_control_signs() -> None:
    mail = mail_from_eml(plain(b"e\xcc\x81te\xcc\x81\0\x07\r\nend\xef\xbb\xbf"))

    assert mail.text == "été\nend\ufeff"


@pytest.mark.parametrize(
    "subject, expected",
    [
        (b"=?utf-8?q?R=C3=A9ussi?=", "Réussi"),
        (b"=?iso-8859-1?q?R=E9ussi?=", "Réussi"),
        (b"=?utf-8?b?UsOpdQ==?=\n =?utf-8?b?c3Np?=", "Réussi"),
        (b"=?no-such?q?Success?=", "Success"),
        ("Réussi".encode(), "Réussi"),
        (b"a\n  b", "a b"),
    ],
)
def test_subjects_are_decoded(subject: bytes, expected: str) -> None:
    assert mail_from_eml(b"From: a@oak.example\nSubject: " + subject + b"\n\nx\n").subject == expected


def test_the_text_part_is_the_body_and_html_is_the_way_out() -> None:
    both = mail_from_eml(parts(("text/plain", b"as text"), ("text/html", b"<p>as HTML</p>")))
    only = mail_from_eml(parts(("text/html", b"<p>as HTML</p>")))
    blank = mail_from_eml(parts(("text/plain", b"  "), ("text/html", b"<p>as HTML</p>")))

    assert (both.body, only.body, blank.body) == ("as text", "as HTML", "as HTML")


def test_attachments_are_named_and_measured_and_never_opened() -> None:
    raw = parts(("text/plain", b"x"), ('application/zip; name="log.zip"\nContent-Transfer-Encoding: base64', b"AAAA"))

    (attachment,) = mail_from_eml(raw).attachments

    assert (attachment.name, attachment.content_type, attachment.size) == ("log.zip", "application/zip", 3)


def test_an_attached_report_is_read_in_place_of_the_mail_around_it() -> None:
    inner = report_mail(sent_at=NIGHT, received_at=NIGHT + timedelta(minutes=5))
    outer = (
        b"Received: from a by b; Tue, 03 Mar 2026 06:30:00 +0000\nFrom: it@oak.example\nSubject: FW\n"
        b"Date: Tue, 03 Mar 2026 06:00:00 +0000\nContent-Type: multipart/mixed; boundary=B\n\n"
        b"--B\nContent-Type: text/plain\n\nSee below.\n--B\nContent-Type: message/rfc822\n\n" + inner + b"\n--B--\n"
    )

    mail = mail_from_eml(outer)

    assert (mail.from_address, mail.sent_at) == ("backup@oak.example", NIGHT)
    assert mail.received_at == datetime(2026, 3, 3, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "headers, expected, source",
    [
        (
            "Received: by b; Mon, 2 Mar 2026 22:09:00 +0100\nReceived: by a; Mon, 2 Mar 2026 22:01:00 +0100",
            "2026-03-02T21:09:00+00:00",
            "received",
        ),
        ("Received: by b\nDate: Mon, 2 Mar 2026 22:00:00 +0100", "2026-03-02T21:00:00+00:00", "date"),
        ("Date: Mon, 2 Mar 2026 22:00:00", "2026-03-02T22:00:00+00:00", "date"),
        ("Date: yesterday", None, "import"),
        ("Date: Mon, 1 Jan 1601 00:00:00 +0000", None, "import"),
        ("Date: Mon, 2 Mar 2026 22:00:00 +9999", None, "import"),
        ("X: y", None, "import"),
    ],
)
def test_a_mail_says_when_it_arrived_and_how_that_is_known(headers: str, expected: str | None, source: str) -> None:
    mail = mail_from_eml(f"From: a@oak.example\n{headers}\n\nx\n".encode())

    assert (mail.received_at and mail.received_at.isoformat(), mail.received_source) == (expected, source)


@pytest.mark.parametrize("raw", [b"", b"\n", b"no header\n", b"x" * 25_000_001, b"A: b\n\n" + b"\n" * 1_000_001])
def test_what_is_no_mail_is_refused(raw: bytes) -> None:
    with pytest.raises(NotAMail):
        mail_from_eml(raw)


def test_a_body_beyond_the_limit_is_cut_and_says_so() -> None:
    mail = mail_from_eml(plain(b"x" * (MAX_BODY_CHARS + 1)))

    assert (len(mail.text), mail.truncated) == (MAX_BODY_CHARS, True)
    assert not mail_from_eml(plain(b"x" * MAX_BODY_CHARS)).truncated


@pytest.mark.parametrize(
    "raw", [b"From: a@oak.example\nSubject: x\nDat", plain(b"caf=C3=A9 and =C", encoding="quoted-printable")]
)
def test_a_mail_that_breaks_off_on_its_way_says_so(raw: bytes) -> None:
    assert mail_from_eml(raw).truncated


@given(st.binary(max_size=2_000))
def test_any_bytes_are_a_mail_or_are_refused(raw: bytes) -> None:
    for each in (
        raw,
        HEAD + raw,
        HEAD + b"Content-Type: " + raw,
        HEAD + b"Content-Type: multipart/mixed; boundary=" + raw,
    ):
        assert is_a_mail_or_refused(each)


@given(st.text(max_size=60))
def test_any_date_is_an_instant_or_none(text: str) -> None:
    sent_at = mail_from_eml(b"From: a@oak.example\nDate: " + text.encode("utf-8", "replace") + b"\n\nx").sent_at

    assert sent_at is None or (sent_at.tzinfo is UTC and sent_at.year in YEARS)


def is_a_mail_or_refused(raw: bytes) -> bool:
    try:
        return isinstance(mail_from_eml(raw), Mail)
    except NotAMail:
        return True
