"""Builders of mails in layouts that real products send. Each states only what matters to the test."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

NIGHT = datetime(2026, 3, 2, 22, 5, tzinfo=UTC)
SENDER = "backup@oak.example"


def report_mail(
    job: str = "Nightly",
    *,
    status: str = "Success",
    origin: str = "",
    objects: Sequence[str] = ("OAK-FS1", "OAK-DC1"),
    sender: str = SENDER,
    sent_at: datetime | None = NIGHT,
    received_at: datetime | None = None,
    message_id: str | None = None,
    cut: bool = False,
) -> bytes:
    """Return the mail that Veeam Backup & Replication sends when a job ends; `cut` ends it before its proof.

    With a status other than Success the last object carries it. The job began five minutes before, by the clock on
    its wall.
    """
    body = _veeam_report(job, status, objects, begun_at=(sent_at or NIGHT) - timedelta(minutes=5))
    return mail(
        f"{origin} [{status}] {job} ({len(objects)} objects)".strip(),
        body[: body.index("Details")] if cut else body,
        sender=sender,
        sent_at=sent_at,
        received_at=received_at,
        message_id=message_id,
    )


def digest_mail(*jobs: tuple[str, str], sender: str = SENDER, sent_at: datetime | None = NIGHT) -> bytes:
    """Return one mail that reports several jobs, each given by its name and status."""
    begun_at = (sent_at or NIGHT) - timedelta(minutes=5)
    reports = [_veeam_report(job, status, ("OAK-FS1", "OAK-DC1"), begun_at=begun_at) for job, status in jobs]
    return mail(f"[{jobs[0][1]}] {jobs[0][0]} (2 objects)", "\n\n".join(reports), sender=sender, sent_at=sent_at)


def trial_mail(*, sender: str = SENDER, sent_at: datetime | None = NIGHT) -> bytes:
    """Return a mail that reports an event: somebody tries whether notifications arrive."""
    body = (
        "This is a test notification from Kopia.\n\n"
        "If you received this, your notification configuration on oak is correct.\n"
    )
    return mail("Test notification from Kopia at 22:05", body, sender=sender, sent_at=sent_at)


def alert_mail(*, sender: str = SENDER, sent_at: datetime | None = NIGHT) -> bytes:
    """Return a mail of a kind that only ever tells of trouble."""
    body = (
        "Operation: Full maintenance\nStarted:   Mon, 02 Mar 2026 22:00:00 +0000\n"
        "Finished:  Mon, 02 Mar 2026 22:01:48 +0000 (1m48s)\n\nconnection lost\n\n"
        "Generated at Mon, 02 Mar 2026 22:01:48 +0000 by Kopia v0.21.1.\n"
    )
    return mail("Kopia has encountered an error during Maintenance on oak", body, sender=sender, sent_at=sent_at)


def update_mail(host: str = "OAK-NAS", *, sender: str = SENDER, sent_at: datetime | None = NIGHT) -> bytes:
    """Return an informational notice that is byte-identical every night but for its date."""
    body = f"Packages on {host} are out-of-date. Please go to Package Center to update.\n\nFrom {host}\n"
    return mail(f"[{host}] Packages on {host} are out-of-date", body, sender=sender, sent_at=sent_at)


def rubbish_mail(subject: str = "Lunch?", *, sender: str = SENDER, sent_at: datetime | None = NIGHT) -> bytes:
    """Return a mail that no backup product sent."""
    return mail(subject, "Soup of the day: leek.\n", sender=sender, sent_at=sent_at)


def mail(
    subject: str,
    body: str,
    *,
    sender: str = SENDER,
    sent_at: datetime | None = NIGHT,
    received_at: datetime | None = None,
    message_id: str | None = None,
) -> bytes:
    """Return the bytes of a plain mail; without `sent_at` it has no Date, without `received_at` no hop."""
    message = EmailMessage()
    if received_at is not None:
        message["Received"] = f"from mx.oak.example by in1.meldkamer.example; {format_datetime(received_at)}"
    message["From"] = sender
    message["To"] = "backups@meldkamer.example"
    message["Subject"] = subject
    if sent_at is not None:
        message["Date"] = format_datetime(sent_at)
    if message_id is not None:
        message["Message-ID"] = message_id
    message.set_content(body)
    return message.as_bytes()


def _veeam_report(job: str, status: str, objects: Sequence[str], *, begun_at: datetime) -> str:
    words = ["Success"] * (len(objects) - 1) + [status]
    counts = {word: words.count(word) for word in ("Success", "Warning", "Failed")}
    clock = f"{begun_at:%I:%M:06 %p}"
    table = [
        f"{name}\t{word}\t22:00:38\t22:04:02\t95 GB\t1.4 GB\t702.5 MB\t0:03:24"
        for name, word in zip(objects, words, strict=True)
    ]
    return "\n".join(
        [
            f"Backup job: {job}",
            status,
            f"{counts['Success'] + counts['Warning']} of {len(objects)} VMs processed",
            f"{begun_at:%A, %B} {begun_at.day}, {begun_at:%Y} {clock}",
            f"Success\t{counts['Success']}\tStart time\t{clock}\tTotal size\t945.5 GB\tBackup size\t15.9 GB",
            f"Warning\t{counts['Warning']}\tEnd time\t10:04:02 PM\tData read\t31.5 GB\tDedupe\t1.7x",
            f"Error\t{counts['Failed']}\tDuration\t0:03:56\tTransferred\t15.6 GB\tCompression\t1.9x",
            "Details",
            "Name\tStatus\tStart time\tEnd time\tSize\tRead\tTransferred\tDuration\tDetails",
            *table,
            "Veeam Backup & Replication 12.3.2.3617",
            "",
        ]
    )
