"""Mails made to keep us busy, to crash us, or to pass for good; and damage done to real ones."""

import base64
import io
import random
import zipfile
from collections.abc import Callable, Iterator

from tests.mails import report_mail

HEAD = b"From: backup@oak.example\nSubject: [Success] Nightly (2 objects)\nDate: Mon, 02 Mar 2026 22:05:00 +0000\n"
MIME = HEAD + b"MIME-Version: 1.0\n"
HTML = MIME + b'Content-Type: text/html; charset="utf-8"\n\n'
TEXT = MIME + b'Content-Type: text/plain; charset="utf-8"\n\n'


def hostile_mails() -> dict[str, bytes]:
    """Return the mails by what is wrong with them."""
    return {**_huge(), **_html(), **_headers(), **_structure(), **_encodings()}


def _huge() -> dict[str, bytes]:
    line = b"Backup job: Nightly\tSuccess\t22:00:38\t22:04:02\t95 GB\n"
    return {
        "10 MB of text": TEXT + line * (10_000_000 // len(line)),
        "10 MB on one line": TEXT + b"Success " * 1_250_000,
        "10 MB of HTML": HTML + b"<p>Success</p>" * 714_000,
        "24 MB attachment": _multipart(
            (b"text/plain", b"Success\n"), (b"application/zip", base64.encodebytes(b"\0" * 17_000_000))
        ),
        "zip bomb": _multipart((b"text/plain", b"Success\n"), (b"application/zip", base64.encodebytes(_zip_bomb()))),
        "a report of 5,000 objects": report_mail(objects=[f"OAK-{number}" for number in range(5_000)]),
    }


def _html() -> dict[str, bytes]:
    row = b"<tr>" + b"<td><b>Success</b></td>" * 8 + b"</tr>"
    fonts = b"".join(b"<font size=%d>" % number for number in range(300))
    return {
        name: HTML + body
        for name, body in {
            "10,000 deep": b"<div>" * 10_000 + b"Success",
            "100,000 unclosed tags": b"<span>" * 100_000,
            "100,000 unclosed cells": b"<table>" + b"<td>Success" * 100_000,
            "closed by a stranger": b"<div></x>" * 100_000,
            "closed in a quote": b'<div title="</div>">' * 50_000,
            "closed in a comment": b"<div><!--</div>-->" * 50_000,
            "closed in a style": b"<div><style></div></style>" * 50_000,
            "closed in a script": b"<div><script><!--<script></script></div></script>" * 30_000,
            "tables outside tables": b"<div><table><tr><td></div>" * 30_000,
            "399 tables in tables": b"<table><tr><td>" * 399 + b"Success",
            "foreign rows": b"<svg>" + b"<tr>" * 100_000,
            "formatting that is repeated": fonts + b"<p>Success" * 100_000,
            "misnested formatting": b"<b><div></b>" * 50_000,
            "a 5,000-row table": b"<table>" + row * 5_000 + b"</table>",
            "script": b"<script>alert('Success')</script><p>[Success]</p>" * 2_000,
            "an open quote": b"<a title='" * 200_000,
            "an open comment": b"<!--" * 200_000,
            "only less-than": b"<" * 1_900_000,
            "half a million attributes": b"<a " + b"b=c " * 400_000 + b">Success",
            "marks in entities": b"<td>" + b"&#769;&#803;" * 150_000,
            "zero bytes in entities": b"<p>Success&#0;&#xD800;&#x110000;</p>",
        }.items()
    }


def _headers() -> dict[str, bytes]:
    encoded = b"=?utf-8?q?=41?= "
    return {
        "100,000 headers": b"X-A: b\n" * 100_000 + TEXT + b"Success\n",
        "100,000 Received headers": b"Received: from a by b; x\n" * 100_000 + TEXT + b"Success\n",
        "a header of 5 MB": b"Subject: " + b"[Success] " * 500_000 + b"\nFrom: a@oak.example\n\nSuccess\n",
        "a folded header of 5 MB": b"Subject: a\n" + b" [Success]\n" * 450_000 + b"From: a@oak.example\n\nx\n",
        "a binary header of 5 MB": b"From: a@oak.example\nSubject: " + b"\xff\xfe " * 1_600_000 + b"\n\nSuccess\n",
        "an RFC 2047 bomb": b"From: a@oak.example\nSubject: " + encoded * 300_000 + b"\n\nSuccess\n",
        "a million parameters": MIME + b"Content-Type: text/plain" + b"; a=b" * 1_000_000 + b"\n\nSuccess\n",
        "a million semicolons": MIME + b"Content-Type: text/plain" + b";" * 1_000_000 + b"\n\nSuccess\n",
        "mixed continuations": MIME
        + b"Content-Type: application/zip\nContent-Disposition: attachment; filename*=utf-8''a; filename*0*=b\n\nx\n",
        "mixed boundaries": MIME + b"Content-Type: multipart/mixed; boundary*=utf-8''a; boundary*0*=b\n\n--b\n\nx\n",
        "a file name in a charset that can't be": MIME
        + b"Content-Type: application/zip\nContent-Disposition: attachment; filename*=idna''%ff%fe\n\nx\n",
        "a zero byte in a type": _multipart((b"text/plain", b"Success\n"), (b"application/x\0y", b"x")),
        "an address of 5 MB": b"From: " + b"(" * 2_500_000 + b"a@oak.example\nSubject: x\n\nSuccess\n",
        "a long Message-ID": b"Message-ID: <" + _noise(3_900) + b"@oak.example>\n" + TEXT + b"Success\n",
        "no header": b"\n\nSuccess\n",
        "a date out of time": HEAD.replace(b"2026", b"0001") + b"\nSuccess\n",
    }


def _structure() -> dict[str, bytes]:
    nested = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (number, number) for number in range(2_000)
    )
    inner = b"Content-Type: message/rfc822\n\n" * 300
    part = b"--B\nContent-Type: text/html\nContent-Disposition: inline" + b"; a=b" * 700 + b"\n\nx\n"
    return {
        "2,000-deep multipart": MIME + nested + b"\nSuccess\n",
        "10,000 parts": _multipart(*[(b"text/plain", b"Success\n")] * 10_000),
        "5,000 parts with long headers": MIME + b"Content-Type: multipart/mixed; boundary=B\n\n" + part * 5_000,
        "mails in mails": MIME + inner + TEXT + b"Success\n",
        "an endless boundary": MIME + b"Content-Type: multipart/mixed; boundary=B\n\n" + b"--B\n" * 1_000_000,
        "a boundary of 5 MB": MIME + b'Content-Type: multipart/mixed; boundary="' + b"B" * 5_000_000 + b'"\n\n--B\n',
        "a boundary that never comes": MIME + b"Content-Type: multipart/mixed; boundary=B\n\n" + b"-B\n" * 500_000,
        "a million empty lines": TEXT + b"\n" * 3_000_000,
        "carriage returns only": TEXT.replace(b"\n", b"\r") + b"Success\r" * 100_000,
    }


def _encodings() -> dict[str, bytes]:
    def text(charset: bytes, body: bytes, cte: bytes = b"8bit") -> bytes:
        head = b"Content-Type: text/plain; charset=" + charset + b"\nContent-Transfer-Encoding: " + cte + b"\n\n"
        return MIME + head + body

    return {
        "a charset that is quadratic": text(b"punycode", b"a" * 900_000 + b"-" + b"k" * 900_000),
        "an attachment in it": MIME
        + b"Content-Type: application/x; charset=punycode\nContent-Disposition: attachment\n\n"
        + b"\xff" * 2_000_000,
        "a charset that is no text": text(b"zlib", b"Success"),
        "a charset with a zero byte": text(b"a\0b", b"Success"),
        "escapes as a charset": text(b"unicode_escape", b"\\ud800\\x00Success"),
        "the wrong charset": text(b"ascii", "Geslaagd – été".encode("utf-16")),
        "zero bytes": text(b"utf-8", b"Succ\0ess\0" * 100_000),
        "half surrogates": text(b"utf-8", b"\xed\xa0\x80Success"),
        "a million marks": text(b"utf-8", ("a" + "\u0301" * 500_000 + "\u0323" * 500_000).encode()),
        "base64 rubbish": text(b"utf-8", b"=" * 10 + b"Success!?" * 500_000, b"base64"),
        "quoted-printable rubbish": text(b"utf-8", b"=\n=ZZ=3" * 500_000, b"quoted-printable"),
        "uuencoded rubbish": text(b"utf-8", b"begin 644 a\n" + b"\xff!\n" * 300_000, b"x-uuencode"),
        "JSON with what no column takes": MIME.replace(
            b"[Success] Nightly (2 objects)", b"Duplicati Backup report for K"
        )
        + b"\n"
        + _json_report(),
    }


def _json_report() -> bytes:
    """Duplicati's report as JSON, whose escapes make a zero byte, half a surrogate pair and a day before time."""
    return (
        rb'{"Data": {"MainOperation": "Backup", "ParsedResult": "Success", "Interrupted": false,'
        rb'"Version": "2.1.0.5", "EndTime": "0001-01-01T00:00:00Z", "BeginTime": "0001-01-01T00:00:00Z",'
        rb'"SizeOfExaminedFiles": 99999999999999999999999999,'
        rb'"Warnings": [], "Errors": [], "WarningsActualLength": 0, "ErrorsActualLength": 0,'
        rb'"ExaminedFiles": 20118, "FilesWithError": 0, "PartialBackup": false, "Dryrun": false},'
        rb'"Extra": {"OperationName": "Backup", "machine-name": "ka\u0000ssa\ud800",'
        rb'"backup-name": "Kas\u0000sa\udc00"},'
        rb'"LogLines": [], "Exception": null}'
    )


def _multipart(*parts: tuple[bytes, bytes]) -> bytes:
    body = b"".join(
        b"--B\nContent-Type: "
        + kind
        + b"\nContent-Transfer-Encoding: "
        + (b"base64" if kind == b"application/zip" else b"8bit")
        + b"\nContent-Disposition: "
        + (b"inline" if kind.startswith(b"text") else b"attachment; filename=a.bin")
        + b"\n\n"
        + content
        + b"\n"
        for kind, content in parts
    )
    return MIME + b"Content-Type: multipart/mixed; boundary=B\n\n" + body + b"--B--\n"


def _zip_bomb() -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as bomb:
        for number in range(3):
            bomb.writestr(str(number), b"\0" * 10_000_000)
    return archive.getvalue()


def _noise(length: int) -> bytes:
    """Return letters that no compression makes shorter."""
    return base64.urlsafe_b64encode(random.Random(length).randbytes(length))[:length]


def truncations(raw: bytes, chance: random.Random, number: int) -> Iterator[bytes]:
    """Yield `raw` cut off at `number` places."""
    for _ in range(number):
        yield raw[: chance.randrange(len(raw))]


def mutations(raw: bytes, chance: random.Random, number: int) -> Iterator[bytes]:
    """Yield `number` damaged copies of `raw`."""
    for _ in range(number):
        damaged = raw
        for _ in range(chance.randrange(1, 4)):
            damaged = chance.choice(_DAMAGES)(damaged, chance)
        yield damaged


def _flip(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) or 1)
    return raw[:at] + bytes([chance.randrange(256)]) + raw[at + 1 :]


def _drop(raw: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(raw) or 1)
    return raw[:start] + raw[start + chance.randrange(1, 400) :]


def _repeat(raw: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(raw) or 1)
    return raw[:start] + raw[start : start + chance.randrange(1, 200)] * chance.randrange(2, 50) + raw[start:]


def _swap_lines(raw: bytes, chance: random.Random) -> bytes:
    lines = raw.split(b"\n")
    chance.shuffle(lines)
    return b"\n".join(lines)


def _insert(raw: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(raw) or 1)
    piece = chance.choice((b"\0", b"\xff\xfe", b"<table>", b"</td>", b"\r", b"=?utf-8?b?!?=", b"\xed\xa0\x80", b"&#0;"))
    return raw[:at] + piece * chance.randrange(1, 30) + raw[at:]


_DAMAGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (_flip, _drop, _repeat, _swap_lines, _insert)
