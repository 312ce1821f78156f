import dataclasses
from pathlib import Path

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Kind, Outcome, Parsed, Reading, Unreadable
from shared.domain.status import Status
from shared.parsers.contract import UnreadableMail
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.html import plain_text
from shared.parsers.registry import claims, read
from shared.parsers.veeam import cloud_connect, job_session, rescan

SAMPLES = {sample.stem: sample for sample in sample_files("veeam")}
GREEN = (Status.SUCCESS, Status.INFORMATIONAL)


def sample(name: str) -> Mail:
    return mail_from_eml(SAMPLES[name].read_bytes())


def with_html(mail: Mail, html: str) -> Mail:
    return dataclasses.replace(mail, html=html, text="", body=plain_text(html))


def as_text(mail: Mail, body: str | None = None) -> Mail:
    text = mail.body if body is None else body
    return dataclasses.replace(mail, html="", text=text, body=text)


def replaced(mail: Mail, old: str, new: str) -> Mail:
    assert old in mail.html or old in mail.body
    if mail.html:
        return with_html(mail, mail.html.replace(old, new))
    return as_text(mail, mail.body.replace(old, new))


def is_green(outcome: Outcome) -> bool:
    return isinstance(outcome, Parsed) and outcome.worst.status in GREEN


def only_reading(outcome: Outcome) -> Reading:
    assert isinstance(outcome, Parsed)
    assert len(outcome.readings) == 1
    return outcome.readings[0]


def sample_name(path: Path) -> str:
    return path.stem


def is_green_as_a_whole(path: Path) -> bool:
    return is_green(read(mail_from_eml(path.read_bytes())))


GREEN_SAMPLES = [path for path in SAMPLES.values() if is_green_as_a_whole(path)]
OTHER_SAMPLES = [path for path in SAMPLES.values() if path not in GREEN_SAMPLES]
HTML_SAMPLES = [
    path for path in SAMPLES.values() if b"multipart/alt" not in (raw := path.read_bytes()) and b"text/html" in raw
]


def cut_at_every_line(mail: Mail) -> list[Mail]:
    """Return the mail cut short at each line and in the middle of each line, as HTML and as text."""
    if not mail.html:
        return [as_text(mail, mail.body[:end]) for end in range(0, len(mail.body), 7)]
    ends = list(range(0, len(mail.html), 331))
    marks = ("</tr>", "</td>", "<td", "<br", "</span>")
    ends += [at for mark in marks for at in range(len(mail.html)) if mail.html.startswith(mark, at)][::3]
    texts = [mail.body[:end] for end in range(0, len(mail.body), 29)]
    return [with_html(mail, mail.html[:end]) for end in ends] + [as_text(mail, text) for text in texts]


@pytest.mark.parametrize("path", OTHER_SAMPLES, ids=sample_name)
def test_cutting_a_mail_anywhere_never_turns_it_green(path: Path) -> None:
    mail = mail_from_eml(path.read_bytes())

    assert [cut.body[-60:] for cut in cut_at_every_line(mail) if is_green(read(cut))] == []


@pytest.mark.parametrize("path", GREEN_SAMPLES, ids=sample_name)
def test_a_cut_mail_is_green_only_while_its_objects_are_all_there(path: Path) -> None:
    mail = mail_from_eml(path.read_bytes())
    whole = read(mail)
    assert isinstance(whole, Parsed)
    names = [thing.name for reading in whole.readings for thing in reading.objects]

    for cut in cut_at_every_line(mail):
        if isinstance(outcome := read(cut), Parsed) and is_green(outcome):
            assert [thing.name for reading in outcome.readings for thing in reading.objects] == names


@pytest.mark.parametrize("path", SAMPLES.values(), ids=sample_name)
def test_no_two_parsers_claim_a_cut_mail(path: Path) -> None:
    mail = mail_from_eml(path.read_bytes())

    assert {len(claims(cut)) for cut in cut_at_every_line(mail)[::5]} <= {0, 1}


@pytest.mark.parametrize("path", HTML_SAMPLES, ids=sample_name)
def test_the_text_form_of_a_mail_reads_as_its_html_does(path: Path) -> None:
    mail = mail_from_eml(path.read_bytes())
    as_html, text = read(mail), read(as_text(mail))

    assert type(text) is type(as_html)
    if isinstance(as_html, Parsed) and isinstance(text, Parsed):
        for one, other in zip(as_html.readings, text.readings, strict=True):
            assert (one.status, one.job_name, one.origin) == (other.status, other.job_name, other.origin)
            assert [(a.name, a.status) for a in one.objects] == [(b.name, b.status) for b in other.objects]


@pytest.mark.parametrize("word", ["Pending", "Unknown", "Erfolg", "In progress", "Succes"])
def test_an_unknown_word_in_the_header_is_unreadable(word: str) -> None:
    mail = replaced(sample("agent-job-success-custom-subject"), ">Success</td>", f">{word}</td>")

    outcome = read(mail)

    assert isinstance(outcome, Unreadable)
    assert outcome.job_name == "Ivy desk"
    assert outcome.origin == "DESK-IVY"


def test_an_unknown_word_beside_an_object_is_unreadable() -> None:
    mail = replaced(sample("mongodb-success"), '#00B050;">Success</span>', '#00B050;">Pending</span>')

    assert isinstance(read(mail), Unreadable)


def test_an_unknown_word_beside_an_object_of_a_failed_job_is_failed() -> None:
    mail = replaced(sample("tape-failed"), '#ff0000;">Error</span>', '#ff0000;">Pending</span>')

    assert only_reading(read(mail)).objects[2].status is Status.FAILED


def test_an_unknown_header_is_failed_when_the_subject_says_failed() -> None:
    mail = replaced(sample("tape-failed"), ">Error<div", ">Stopped<div")

    assert only_reading(read(mail)).status is Status.FAILED


@pytest.mark.parametrize(
    "subject, status",
    [
        ("[Success] Orchid servers (4 objects)", Status.SUCCESS),
        ("[Warning] Orchid servers (4 objects)", Status.WARNING),
        ("[Failed] Orchid servers (4 objects)", Status.FAILED),
        ("[Success] Orchid servers (4 objects) 1 failed", Status.FAILED),
        ("[Success] Orchid servers (4 objects) 10 warnings", Status.WARNING),
        ("[Success] Orchid servers (4 objects) 0 failed, 0 warnings", Status.SUCCESS),
        ("[Success] 0 failed, 12 warnings (4 objects)", Status.SUCCESS),
        ("WG: [Canceled] Orchid servers (4 objects)", Status.FAILED),
        ("Orchid servers", Status.SUCCESS),
        ("", Status.SUCCESS),
    ],
)
def test_the_worse_of_subject_and_body_wins(subject: str, status: Status) -> None:
    mail = dataclasses.replace(sample("backup-success"), subject=subject)

    assert only_reading(read(mail)).status is status


@pytest.mark.parametrize(
    "old, new",
    [
        (">0</td>", ">10</td>"),
        ("4 of 4 VMs processed", "3 of 4 VMs processed"),
        ('font-size: 10px;"></span>', 'font-size: 10px;">Error: disk is full</span>'),
    ],
)
def test_a_success_that_anything_contradicts_is_none(old: str, new: str) -> None:
    assert not is_green(read(replaced(sample("backup-success"), old, new)))


@pytest.mark.parametrize(
    "name, old, new, message",
    [
        ("backup-warning-german-dates", "2 of 2 VMs", "2 of 5 VMs", "2 of 5 VMs processed"),
        ("agent-policy-warning", "1 of 2 hosts", "1 of 2 hosts", ""),
        ("agent-policy-warning", "1 of 2 hosts", "0 of 2 hosts", "0 of 2 hosts processed"),
    ],
)
def test_what_no_object_shows_is_said_by_the_job(name: str, old: str, new: str, message: str) -> None:
    reading = only_reading(read(replaced(sample(name), old, new)))

    assert (reading.status, reading.message) == (Status.WARNING, message)


def test_an_error_in_a_row_that_says_success_is_said_by_the_job() -> None:
    mail = sample("backup-warning-text-form-description-reads-success")
    good, bad = only_reading(read(mail)).objects

    reading = only_reading(read(replaced(mail, "\tWarning\t", "\tSuccess\t")))

    assert (good.status, bad.status) == (Status.SUCCESS, Status.WARNING)
    assert reading.message == f"{bad.name}: {bad.message}"


def test_zero_counts_are_no_trouble() -> None:
    reading = only_reading(read(sample("backup-success")))

    assert reading.status is Status.SUCCESS
    assert reading.evidence == ("header: Success", "subject: [Success]")


def test_a_failed_mail_keeps_its_verdict_when_only_the_subject_is_left() -> None:
    mail = dataclasses.replace(sample("tape-failed"), html="", text="", body="")

    assert only_reading(read(mail)).status is Status.FAILED


@pytest.mark.parametrize(
    "subject, origin, job",
    [
        ("[Failed] Nightly (2 objects) ", None, "Nightly"),
        ("NORTH SITE [Failed] Nightly (2 objects)", "NORTH SITE", "Nightly"),
        ("Fwd: RE: NORTH [Failed] Nightly - SQL (a) (2 VMs)", "NORTH", "Nightly - SQL (a)"),
        ("[EXTERNAL] [Failed] Copy\\Nightly (2 objects)", None, "Copy\\Nightly"),
        ("2026-04-01 21:00 [Failed] Nightly (1 machines)", None, "Nightly"),
    ],
)
def test_a_subject_alone_names_job_and_origin(subject: str, origin: str | None, job: str) -> None:
    reading = only_reading(read(Mail(from_address="veeam@north.example", subject=subject)))

    assert (reading.origin, reading.job_name, reading.status) == (origin, job, Status.FAILED)


@pytest.mark.parametrize(
    "title, subject, name",
    [
        ("Walnut (Retry 12)", "[Warning] Walnut (2 objects)", "Walnut"),
        ("Walnut (Full)", "[Warning] Walnut (Full) (2 objects)", "Walnut (Full)"),
        ("Walnut (Full) (Full)", "[Warning] Walnut (Full) (2 objects)", "Walnut (Full)"),
        ("Walnut (old hosts)", "Walnut", "Walnut (old hosts)"),
        ("Walnut [Success]: a - b", "x", "Walnut [Success]: a - b"),
    ],
)
def test_the_kind_of_run_is_no_part_of_the_name(title: str, subject: str, name: str) -> None:
    mail = sample("backup-warning-text-form-description-reads-success")
    mail = replaced(mail, "Backup job: Walnut", f"Backup job: {title}")

    assert only_reading(read(dataclasses.replace(mail, subject=subject))).job_name == name


@pytest.mark.parametrize(
    "title, retry",
    [("Walnut (Retry 12)", 12), ("Walnut (Retry)", 1), ("Walnut", None), ("Walnut (Full)", None), ("Retry 2", None)],
)
def test_a_retry_says_which_one_it_is_and_stands_for_no_more_than_it_names(title: str, retry: int | None) -> None:
    mail = sample("backup-warning-text-form-description-reads-success")

    mail = replaced(mail, "Backup job: Walnut", f"Backup job: {title}")
    reading = only_reading(read(mail))
    assert reading.retry == retry
    assert not (reading.retry and dataclasses.replace(reading, objects_complete=True).lists_everything)


def test_another_products_backup_job_line_is_not_claimed() -> None:
    body = "Backup job: Nightly\nFinished.\nErrors: 0"

    assert claims(Mail(from_address="a@other.example", subject="Nightly", text=body, body=body)) == []


def test_a_cell_on_each_line_never_reads_as_success() -> None:
    mail = sample("agent-job-success-custom-subject")

    assert not is_green(read(as_text(mail, mail.body.replace("\t", "\n"))))


def test_a_mail_cut_by_our_own_limit_is_no_success() -> None:
    mail = dataclasses.replace(sample("backup-success"), truncated=True)

    assert isinstance(read(mail), Unreadable)


def test_a_rescan_without_trouble_is_informational() -> None:
    mail = sample("rescan-warning")
    html = mail.html.replace("Warning</", "Success</").replace(">Warning<div", ">Success<div")
    before, label, after = html.partition("<b>Warnings</b>")
    html = before + label + after.replace(">1</td>", ">0</td>", 1)
    subject = mail.subject.replace("Warning", "Success")

    reading = rescan.PARSER.parse(dataclasses.replace(with_html(mail, html), subject=subject))

    assert isinstance(reading, Reading)
    assert (reading.status, reading.kind) == (Status.INFORMATIONAL, Kind.INFORMATIONAL)
    assert [thing.status for thing in reading.objects] == [Status.SUCCESS, Status.SUCCESS]


def test_a_cloud_connect_report_without_trouble_is_informational() -> None:
    mail = sample("cloud-connect-reaching-capacity")
    mail = replaced(mail, "Reaching capacity. Please do not add more tenants to the infrastructure.", "OK")

    reading = cloud_connect.PARSER.parse(mail)

    assert isinstance(reading, Reading)
    assert (reading.status, reading.kind, reading.message) == (Status.INFORMATIONAL, Kind.INFORMATIONAL, "")
    assert "TOTAL" not in [thing.name for thing in reading.objects]


def test_a_hostile_mail_is_read_in_linear_time() -> None:
    lines = ["Backup job: x", "Success", "Sunday, 3 May 2026 18:00:07", "Total size\t" + "1 " * 200_000]
    lines += ["Name\tStatus\tStart time", "a\tSuccess\t1", *["message"] * 200_000, "9" * 200_000, "A job: " * 20_000]
    body = "\n".join(lines)

    assert not is_green(read(Mail(from_address="a@b.example", subject="[" * 2000, text=body, body=body)))


def test_a_long_date_in_an_unknown_language_costs_only_the_time() -> None:
    mail = replaced(sample("agent-policy-success"), "Tuesday, May 5, 2026 10:00:08 AM", "wtorek, 5 maja 2026 10:00:08")

    reading = only_reading(read(mail))

    assert (reading.status, reading.job_name, reading.started_at) == (Status.SUCCESS, "Kestrel laptops", None)


def test_a_quoted_older_report_is_a_reading_of_its_own() -> None:
    newer = sample("backup-warning-text-form-description-reads-success")
    older = sample("backup-success-text-form-italian-dates")
    mail = as_text(newer, newer.body + "\n" + older.body)

    readings = job_session.PARSER.parse(dataclasses.replace(mail, subject="[Warning] Walnut (2 objects)"))

    assert not isinstance(readings, Reading)
    assert [(r.job_name, r.status) for r in readings] == [
        ("Walnut", Status.WARNING),
        ("Cipresso gestionale", Status.SUCCESS),
    ]


def test_an_empty_success_mail_says_what_is_missing() -> None:
    with pytest.raises(UnreadableMail, match="the report that proves it is missing"):
        job_session.PARSER.parse(Mail(from_address="a@b.example", subject="[Success] Nightly (3 objects)"))
