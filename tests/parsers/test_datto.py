"""Datto's alerts: what the samples don't show."""

from dataclasses import replace

import pytest

from shared.domain.mail import Mail
from shared.domain.reading import Kind, Parsed
from shared.domain.status import Status
from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.html import plain_text
from shared.parsers.registry import read


@pytest.mark.parametrize("sample", sample_files("datto"), ids=lambda sample: sample.stem)
def test_no_alert_however_cut_is_ever_green(sample) -> None:
    mail = mail_from_eml(sample.read_bytes())
    lines = (mail.html or mail.text).split("\n")

    for kept in range(len(lines) + 1):
        html = "\n".join(lines[:kept])
        outcome = read(replace(mail, html=html, text="", body=plain_text(html)))
        if isinstance(outcome, Parsed):
            reading = outcome.worst
            assert reading.status is not Status.SUCCESS
            assert reading.kind in (Kind.ALERT_ONLY, Kind.EVENT)
            assert reading.kind is Kind.EVENT or reading.status in (Status.FAILED, Status.WARNING)


def test_agent_and_organisation_are_told_apart_by_the_subject_alone() -> None:
    subject = "Endpoint Backup Agent (PC (new)) Backup Not Taken for Client (Ash (North))"
    outcome = read(Mail(from_address="x@datto.example", subject=subject))

    assert isinstance(outcome, Parsed)
    assert (outcome.worst.job_name, outcome.worst.origin) == ("PC (new)", "Ash (North)")
