"""Every parser has samples, every sample has its expected reading, one parser claims it: its own folder's."""

import email.utils
import json
import re
from pathlib import Path

import pytest

from shared.parsers.eml import mail_from_eml
from shared.parsers.golden import actual, expected, sample_files
from shared.parsers.registry import all_parsers, claims

SAMPLES = sample_files()
ADDRESS = re.compile(r"[\w.+-]+@([\w.-]+\.\w+)")


def sample_name(sample: Path) -> str:
    return f"{sample.parent.parent.name}/{sample.stem}"


@pytest.mark.parametrize("sample", SAMPLES, ids=sample_name)
def test_a_sample_reads_as_expected(sample: Path) -> None:
    assert json.loads(json.dumps(actual(sample))) == expected(sample)


@pytest.mark.parametrize("sample", SAMPLES, ids=sample_name)
def test_one_parser_claims_the_sample_and_it_lives_in_that_folder(sample: Path) -> None:
    vendors = [parser.name.split(".")[0] for parser in claims(mail_from_eml(sample.read_bytes()))]

    assert vendors == [sample.parent.parent.name]


@pytest.mark.parametrize("sample", SAMPLES, ids=sample_name)
def test_a_sample_names_nobody(sample: Path) -> None:
    mail = mail_from_eml(sample.read_bytes())
    text = f"{mail.from_address} {mail.subject} {mail.body}"

    assert email.utils.parseaddr(mail.from_address)[1].endswith(".example")
    assert [domain for domain in ADDRESS.findall(text) if not domain.endswith(".example")] == []


@pytest.mark.parametrize("parser", all_parsers(), ids=lambda parser: parser.name)
def test_a_parser_has_a_sample_of_its_own(parser) -> None:
    vendor = parser.name.split(".")[0]

    assert parser.name in {expected(sample)["parser"] for sample in sample_files(vendor)}


def test_every_vendor_folder_explains_itself() -> None:
    folders = {sample.parent.parent for sample in SAMPLES}

    assert [folder.name for folder in folders if not (folder / "README.md").is_file()] == []
