from sqlalchemy import select

from shared.db.session import transaction
from shared.domain.mailflow import Source
from shared.models.audit import AuditEntry
from shared.models.mail import MailMessage
from tests.http_api.client import Browser
from tests.http_api.inbox_world import night
from tests.http_api.lists import rows
from tests.mails import report_mail, rubbish_mail

Sent = list[tuple[str, tuple[str, bytes, str]]]


def files(*sent: tuple[str, bytes]) -> Sent:
    return [("files", (name, content, "message/rfc822")) for name, content in sent]


def upload(browser: Browser, *sent: tuple[str, bytes]) -> list[str]:
    """Send files and return what the result says of each."""
    answer = browser.post("/inbox/upload", files=files(*sent))
    assert answer.status_code == 303
    return rows(browser.get(answer.headers["location"]))


def test_each_file_is_told_what_became_of_it(operator: Browser) -> None:
    result = upload(
        operator,
        ("report.eml", report_mail(sent_at=night(1))),
        ("copy.eml", report_mail(sent_at=night(1))),
        ("lunch.eml", rubbish_mail(sent_at=night(1))),
        ("logo.png", b"\x89PNG\r\n\x1a\n\x00"),
        ("empty.eml", b""),
    )

    assert "report.eml Waits in the Inbox: new job" in result[0]
    assert "Duplicate of mail" in result[1]
    assert "Waits in the Inbox: unrecognised" in result[2]
    assert "logo.png Quarantined : it has no headers" in result[3]
    assert "empty.eml Quarantined" in result[4]


def test_the_same_file_twice_changes_nothing_and_is_said_so(operator: Browser) -> None:
    raw = report_mail(sent_at=night(1))
    upload(operator, ("report.eml", raw))

    again = upload(operator, ("report.eml", raw))

    assert "Came in before, nothing changed." in again[0]
    with transaction() as db:
        assert db.scalars(select(MailMessage.source)).all() == [Source.UPLOAD]


def test_an_upload_without_files_asks_for_one(operator: Browser) -> None:
    as_browsers_send_it = (
        b'--x\r\nContent-Disposition: form-data; name="files"; filename=""\r\n'
        b"Content-Type: application/octet-stream\r\n\r\n\r\n--x--\r\n"
    )
    kind = {"content-type": "multipart/form-data; boundary=x"}

    for answer in (
        operator.post("/inbox/upload", content=as_browsers_send_it, headers=kind),
        operator.post("/inbox/upload"),
    ):
        assert answer.status_code == 422
        assert "Choose at least one mail file" in answer.text


def test_more_files_than_a_request_should_carry_are_refused(operator: Browser) -> None:
    answer = operator.post("/inbox/upload", files=files(*((f"{n}.eml", b"") for n in range(201))))

    assert answer.status_code == 422
    assert "At most 200 files at once" in answer.text


def test_more_than_ten_megabytes_are_refused_in_words(operator: Browser) -> None:
    answer = operator.post("/inbox/upload", files=files(("big.eml", b"x" * 11_000_000)))

    assert answer.status_code == 413
    assert "At most 10 MB" in answer.text


def test_an_upload_stands_in_the_audit_log(operator: Browser) -> None:
    upload(operator, ("report.eml", report_mail(sent_at=night(1))))

    with transaction() as db:
        entry = db.scalars(select(AuditEntry).where(AuditEntry.action == "mails.uploaded")).one()
    assert (entry.user_name, len((entry.after or {})["mails"])) == ("the operator", 1)


def test_a_path_in_a_file_name_is_not_kept(operator: Browser) -> None:
    upload(operator, ("../../x/evil.eml", report_mail(sent_at=night(1))))

    with transaction() as db:
        assert db.scalars(select(MailMessage.file_name)).one() == "evil.eml"


def test_only_those_who_work_in_the_inbox_upload(viewer: Browser) -> None:
    assert viewer.get("/inbox/upload").status_code == 403
    assert viewer.post("/inbox/upload", files=files(("a.eml", b"x"))).status_code == 403
    assert "Upload" not in viewer.get("/inbox").text


def test_a_result_tells_of_uploads_only(operator: Browser) -> None:

    assert "Nothing was uploaded." in operator.get("/inbox/upload/result?new=7&known=8").text
