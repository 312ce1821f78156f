"""What the samples of Proxmox don't show: cut mails, unknown words, and what must not be taken for trouble."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Kind, Parsed, Unreadable, Unrecognised
from shared.domain.status import Status
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.html import plain_text
from shared.parsers.registry import read

SAMPLES = sample_files("proxmox")

TABLE = """
Details
=======
VMID    Name     Status    Time    Size      Filename
501     intra    ok        12s     2 GiB     vm/501/2026-01-05T20:00:00Z
502     post     ok        1m      40 GiB    ct/502/2026-01-05T20:00:12Z

Total running time: 1m 12s
Total size: 42 GiB

Logs
====
"""
LOG = """vzdump 501 502 --storage a

501: 2026-01-05 21:00:00 INFO: Starting Backup of VM 501 (qemu)
501: 2026-01-05 21:00:12 INFO: Finished Backup of VM 501 (00:00:12)

502: 2026-01-05 21:00:12 INFO: Starting Backup of VM 502 (lxc)
502: 2026-01-05 21:01:12 INFO: Finished Backup of VM 502 (00:01:00)
"""


def sample(path: Path) -> Mail:
    return mail_from_eml(path.read_bytes())


def vzdump(body: str = TABLE + LOG, verdict: str = ": backup successful") -> Mail:
    return Mail(
        from_address="root@n1.zuivel.example", subject=f"vzdump backup status (n1){verdict}", text=body, body=body
    )


def pbs(subject: str, body: str) -> Mail:
    return Mail(from_address="root@pbs.zuivel.example", subject=subject, text=body, body=body)


def status(mail: Mail) -> Status:
    outcome = read(mail)
    return outcome.worst.status if isinstance(outcome, Parsed) else Status.UNREADABLE


def green_jobs(mail: Mail) -> set[str | None]:
    outcome = read(mail)
    readings = outcome.readings if isinstance(outcome, Parsed) else ()
    return {reading.job_name for reading in readings if reading.status is Status.SUCCESS}


def cuts(mail: Mail) -> Iterator[Mail]:
    """Yield the mail with its bodies cut after each line, as if the wire had broken there."""
    lines, markup = mail.text.split("\n"), mail.html.split("\n")
    for end in range(len(lines) if mail.text else 0):
        text = "\n".join(lines[:end])
        yield replace(mail, text=text, html="", body=text)
    for end in range(len(markup) if mail.html else 0):
        html = "\n".join(markup[:end])
        yield replace(mail, html=html, body=mail.text or plain_text(html))


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_cutting_the_body_never_makes_a_bad_mail_green(path: Path) -> None:
    whole = sample(path)

    # Job by job: a script's mail that ends between two backups lacks the second, which is then missed.
    assert [cut.body for cut in cuts(whole) if not green_jobs(cut) <= green_jobs(whole)] == []


@pytest.mark.parametrize("path", [p for p in SAMPLES if p.stem.startswith("pbs-")], ids=lambda path: path.stem)
def test_a_cut_mail_of_the_backup_server_is_green_only_with_its_verdict(path: Path) -> None:
    green = [cut.body for cut in cuts(sample(path)) if status(cut) is Status.SUCCESS]

    assert [body for body in green if " successful." not in body and "End Time:" not in body] == []


def test_a_cut_vzdump_mail_is_green_only_when_every_guest_has_finished() -> None:
    whole = vzdump()

    assert status(whole) is Status.SUCCESS
    assert [cut.body for cut in cuts(whole) if status(cut) is Status.SUCCESS] == [whole.body.removesuffix("\n")]


def test_a_job_whose_log_is_left_out_is_green_by_table_and_subject() -> None:
    assert status(vzdump(TABLE + "Log output was too long to be sent. See Task History for details!")) is Status.SUCCESS


@pytest.mark.parametrize("verdict", [": backup skipped", ":", "", ": successful backup"])
def test_an_unknown_vzdump_verdict_is_unreadable(verdict: str) -> None:
    outcome = read(vzdump(verdict=verdict))

    assert isinstance(outcome, Unreadable)
    assert outcome.job_name == outcome.origin == "n1"


@pytest.mark.parametrize("word", ["okay", "warn", "OKAY", "?"])
def test_an_unknown_status_of_a_guest_is_unreadable(word: str) -> None:
    assert isinstance(read(vzdump((TABLE + LOG).replace("post     ok", f"post     {word}"))), Unreadable)


@pytest.mark.parametrize("word", ["err", "ERR", "failed", "aborted", "todo"])
def test_a_bad_guest_makes_the_job_failed_whatever_the_subject_says(word: str) -> None:
    assert status(vzdump((TABLE + LOG).replace("post     ok", f"post     {word}"))) is Status.FAILED


def test_an_error_in_the_log_beats_a_good_table() -> None:
    bad = LOG.replace("INFO: Finished Backup of VM 502 (00:01:00)", "ERROR: Backup of VM 502 failed - no space")

    assert status(vzdump(TABLE + bad)) is Status.FAILED


def test_an_error_of_a_guest_that_is_listed_as_good_is_said_beside_a_failed_guest() -> None:
    body = (TABLE + LOG).replace("502     post     ok ", "502     post     err")
    logged = body.replace(
        "501: 2026-01-05 21:00:12 INFO: Fini",
        "501: 2026-01-05 21:00:11 ERROR: no space\n501: 2026-01-05 21:00:12 INFO: Fini",
    )

    outcome = read(vzdump(logged, ": backup failed: job errors"))

    assert isinstance(outcome, Parsed)
    assert outcome.worst.message == "job errors; 501: no space"


def test_talk_of_errors_inside_an_info_line_is_no_error() -> None:
    talk = LOG.replace(
        "INFO: Starting", "INFO: 0 errors, WARN: none, ERROR: none\n501: 2026-01-05 21:00:00 INFO: Starting"
    )

    assert status(vzdump(TABLE + talk)) is Status.SUCCESS


def test_a_guest_without_a_name_goes_by_its_number() -> None:
    outcome = read(vzdump((TABLE + LOG).replace("post ", "     ")))

    assert isinstance(outcome, Parsed)
    assert [thing.name for thing in outcome.worst.objects] == ["intra (501)", "502"]


def test_a_success_without_any_guest_is_unreadable() -> None:
    empty = "Details\n=======\nVMID Name Status Time Size Filename\n\nTotal running time: 0s\n\nLogs\n====\n"

    assert isinstance(read(vzdump(empty)), Unreadable)


@pytest.mark.parametrize("count", ["1", "10", "3 (in 2 groups)"])
def test_bad_chunks_make_a_garbage_collection_a_warning(count: str) -> None:
    body = f"Datastore: a\nRemoved bad chunks: {count}\nLeftover bad chunks: 0\n\nGarbage collection successful.\n"

    assert status(pbs("Garbage Collect Datastore 'a' successful", body)) is Status.WARNING


@pytest.mark.parametrize("word", ["successfully", "finished", "unsuccessful"])
def test_an_unknown_word_of_the_backup_server_is_unreadable(word: str) -> None:
    outcome = read(pbs(f"Verify Datastore 'a' {word}", "Job ID: v-1\nDatastore: a\n\nVerification successful.\n"))

    assert isinstance(outcome, Unreadable)
    assert (outcome.job_name, outcome.backup_type) == ("v-1", "Verification")


def test_the_sentence_of_another_job_proves_nothing() -> None:
    assert isinstance(read(pbs("Pruning datastore 'a' successful", "Garbage collection successful.\n")), Unreadable)


def test_a_failed_subject_above_a_good_body_is_failed() -> None:
    body = "Job ID: p-1\nDatastore: a\n\nPruning successful.\n"

    assert status(pbs("Pruning datastore 'a' failed", body)) is Status.FAILED


def test_two_backups_of_one_name_take_the_worse_even_when_the_second_went_well() -> None:
    start = "Starting backup: host/kas\nClient name: kas\nStarting backup protocol: Mon\n"
    outcome = read(pbs("kopie", f"{start}Error: timed out\n{start}Duration: 3s\nEnd Time: Mon Jan  5 07:01:02 2026\n"))

    assert isinstance(outcome, Parsed)
    assert [reading.status for reading in outcome.readings] == [Status.FAILED]


def test_an_error_after_the_end_of_a_client_backup_still_counts() -> None:
    start = "Starting backup: host/kas\nClient name: kas\nStarting backup protocol: Mon\n"

    assert status(pbs("kopie", f"{start}End Time: Mon Jan  5 07:01:02 2026\nError: prune failed\n")) is Status.FAILED


def test_the_log_of_a_guest_saved_to_a_backup_server_is_no_client_script() -> None:
    inner = (
        "502: 2026-01-05 21:00:20 INFO: Starting backup protocol: Mon\n502: 2026-01-05 21:00:20 INFO: Client name: n1\n"
    )

    assert isinstance(read(pbs("log", inner)), Unrecognised)


def test_a_failed_replication_is_an_alert_of_its_node() -> None:
    outcome = read(pbs("FW: Replication Job: '31-2' failed ", ""))

    assert isinstance(outcome, Parsed)
    assert (outcome.worst.kind, outcome.worst.origin) == (Kind.ALERT_ONLY, "pbs.zuivel.example")


def test_a_huge_mail_ends_soon_and_is_not_green() -> None:
    rows = "".join(f"{number} guest ok 1s 1 GiB vm/{number}/x\n" for number in range(60_000))

    assert status(vzdump(TABLE.partition("501")[0] + rows)) is Status.UNREADABLE
