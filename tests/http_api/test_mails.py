import re
from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from sqlalchemy import delete, select

from functions.http_api.mails.file_name import raw_name
from shared import clock
from shared.db.session import transaction
from shared.domain.mailflow import Ending
from shared.models.mail import MailMessage, MailRaw
from shared.services.import_arrivals import import_arrivals
from shared.settings import settings
from tests.builders import make_arrival
from tests.fake_graph import FakeGraph
from tests.http_api.client import Browser
from tests.http_api.inbox_world import came_in, night, outcome, reading_of, report, rubbish, run_of
from tests.http_api.lists import make_customer, text_of
from tests.mails import report_mail

HOSTILE = """<html><head><base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=//evil.example">
<link rel="stylesheet" href="https://evil.example/a.css"><style>td{color:red}</style></head>
<body onload="alert(1)" background="https://evil.example/b.png">
<script>alert(2)</script><img src="https://evil.example/c.gif" onerror="alert(3)" alt="logo">
<form action="https://evil.example/"><input name="password"><button>Sign in</button></form>
<a href="javascript:alert(4)">one</a><a href="https://evil.example/d">two</a>
<iframe src="https://evil.example/e"></iframe><svg onload="alert(5)"><script>alert(6)</script></svg>
<table><tr><td style="background:url(https://evil.example/f)">Backup <b>failed</b></td></tr></table>
<img src="data:image/png;base64,iVBORw0KGgo="><img src="data:image/svg+xml;base64,PHN2Zz4=">
</body></html>"""


def html_mail(html: str) -> int:
    message = EmailMessage()
    message["From"], message["Subject"] = "backup@oak.example", "A </title><script>alert(0)</script> report"
    message.set_content(html, subtype="html")
    return came_in(message.as_bytes())


def approved(operator: Browser) -> int:
    make_customer("Oak")
    mail_id = report()
    operator.post(f"/inbox/{mail_id}/readings/{reading_of(mail_id)}/approve", data={"customer": "Oak"})
    return mail_id


def test_a_mail_leads_to_its_run_and_its_job(operator: Browser, viewer: Browser) -> None:
    mail_id = approved(operator)

    page = viewer.get(f"/mails/{mail_id}").text

    assert f'href="/runs/{run_of(mail_id)}"' in page
    assert "Run of Oak › Nightly" in text_of(page)
    assert "/readings/" not in page


def test_a_mail_that_waits_leads_to_the_inbox(viewer: Browser) -> None:
    mail_id = report()

    assert f'href="/inbox/{mail_id}"' in viewer.get(f"/mails/{mail_id}").text


def test_the_body_may_load_and_run_nothing_wherever_it_is_shown(viewer: Browser) -> None:
    answer = viewer.get(f"/mails/{html_mail(HOSTILE)}/body")

    policy = answer.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none';")
    assert "script-src" not in policy
    assert "http" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"


def test_the_body_keeps_what_a_report_says_and_nothing_that_acts(viewer: Browser) -> None:
    body = viewer.get(f"/mails/{html_mail(HOSTILE)}/body").text.partition("<body>")[2]

    for tag in ("script", "form", "input", "button", "base", "meta", "link", "iframe", "svg", "title"):
        assert f"<{tag}" not in body.lower()
    assert re.findall(r"(?:href|src|action|on\w+|background)=\"(?!data:image/png)", body) == []
    assert "image/svg" not in body
    assert "Backup <b>failed</b>" in body
    assert 'alt="logo"' in body
    assert "td{color:red}" in body


def test_the_subject_stays_in_its_place(viewer: Browser) -> None:
    document = viewer.get(f"/mails/{html_mail('<p>fine</p>')}/body").text

    assert "<title>A &lt;/title&gt;&lt;script&gt;alert(0)&lt;/script&gt; report</title>" in document


def test_a_plain_mail_is_shown_as_it_was_typed(viewer: Browser) -> None:
    assert "<pre>Soup of the day: leek." in viewer.get(f"/mails/{rubbish()}/body").text


@pytest.mark.parametrize(
    "html", ["<div>" * 100_000 + "needle", "<b>" * 50_000 + "needle", "<p><a><b>" * 20_000 + "needle"]
)
def test_markup_made_to_keep_us_busy_is_shown_as_text(html: str, viewer: Browser) -> None:
    body = viewer.get(f"/mails/{html_mail(html)}/body").text

    assert "needle" in body
    assert body.count("<div>") == body.count("<b>") == 0


def test_the_original_is_downloaded_byte_by_byte_under_its_subject(viewer: Browser) -> None:
    raw = report_mail("Dossiers – Zürich/Genf", sent_at=night(1))
    mail_id = came_in(raw)

    answer = viewer.get(f"/mails/{mail_id}/raw")

    assert answer.content == raw
    assert answer.headers["content-type"] == "message/rfc822"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith(
        f'attachment; filename="mail-{mail_id}.eml"; filename*=UTF-8'
    )
    assert answer.headers["content-disposition"].isascii()


@pytest.mark.parametrize(
    "subject, name",
    [
        ("", "mail-7.eml"),
        ("../../etc/passwd", "etc passwd.eml"),
        ('a"b\r\nSet-Cookie: x', "a b Set-Cookie x.eml"),
        ("Zürich", "Zürich.eml"),
        ("x" * 300, "x" * 100 + ".eml"),
    ],
)
def test_a_file_name_holds_nothing_that_a_system_would_misread(subject: str, name: str) -> None:
    assert raw_name(subject, 7) == name


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeGraph]:
    """The mailbox that the settings name."""
    with FakeGraph() as running:
        monkeypatch.setenv("GRAPH_BASE_URL", running.url)
        monkeypatch.setenv("GRAPH_MAILBOX", running.mailbox.address)
        settings.cache_clear()
        yield running
    settings.cache_clear()


def came_from(graph: FakeGraph, raw: bytes) -> int:
    with transaction() as db:
        arrival_id = make_arrival(db, raw, graph_id=graph.deliver(raw).immutable_id)
    import_arrivals([arrival_id], clock=clock.now)
    with transaction() as db:
        return db.scalars(select(MailMessage.id)).one()


def test_the_original_of_a_mail_of_the_mailbox_is_fetched_when_it_is_wanted(viewer: Browser, graph: FakeGraph) -> None:
    raw = report_mail(sent_at=night(1))
    mail_id = came_from(graph, raw)

    assert f"/mails/{mail_id}/raw" in viewer.get(f"/mails/{mail_id}").text
    assert viewer.get(f"/mails/{mail_id}/raw").content == raw


def test_an_original_that_the_mailbox_has_no_more_is_missed_in_words(viewer: Browser, graph: FakeGraph) -> None:
    mail_id = came_from(graph, report_mail(sent_at=night(1)))
    for message in graph.messages():
        graph.delete(message)

    answer = viewer.get(f"/mails/{mail_id}/raw")

    assert answer.status_code == 404
    assert "no longer in the mailbox" in answer.text


def test_an_original_that_is_not_kept_is_missed_in_words(viewer: Browser) -> None:
    mail_id = report()
    with transaction() as db:
        db.execute(delete(MailRaw))

    answer = viewer.get(f"/mails/{mail_id}/raw")

    assert answer.status_code == 404
    assert "The original of this mail isn&#39;t kept (any more)." in answer.text
    assert f"/mails/{mail_id}/raw" not in viewer.get(f"/mails/{mail_id}").text


def test_a_deleted_mail_is_closed_to_all_but_administrators(admin: Browser, operator: Browser) -> None:
    mail_id = report()
    operator.post(f"/inbox/{mail_id}/delete")

    for rest in ("", "/body", "/raw"):
        assert operator.get(f"/mails/{mail_id}{rest}").status_code == 404
        assert admin.get(f"/mails/{mail_id}{rest}").status_code == 200
    assert "Bring back" in admin.get(f"/mails/{mail_id}").text
    assert "An administrator can bring it back." in operator.get(f"/mails/{mail_id}").text


def test_a_person_says_that_a_mail_is_no_duplicate(operator: Browser, viewer: Browser) -> None:
    first, second = (came_in(report_mail(sent_at=night(1))) for _ in range(2))
    assert f'href="/mails/{first}"' in viewer.get(f"/mails/{second}").text
    assert "not-a-duplicate" not in viewer.get(f"/mails/{second}").text
    assert "not-a-duplicate" in operator.get(f"/mails/{second}").text

    assert viewer.post(f"/mails/{second}/not-a-duplicate").status_code == 403
    operator.post(f"/mails/{second}/not-a-duplicate")

    assert outcome(second) is Ending.INBOX
    assert operator.post(f"/mails/{second}/not-a-duplicate").status_code == 409


def test_a_mail_that_is_not_there_is_missed_in_words(viewer: Browser) -> None:
    assert "This mail is gone." in viewer.get("/mails/999999").text
    assert "This mail is gone." in viewer.get("/mails/999999/body").text
