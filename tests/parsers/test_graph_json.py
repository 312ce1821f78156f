"""A mail reads alike whether it came as the JSON of a message or as a file; odd and hostile JSON is said to be none."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.mail import Mail
from shared.domain.reading import Parsed
from shared.parsers.as_json import Json, outcome_json
from shared.parsers.eml import NotAMail, mail_from_eml
from shared.parsers.golden import sample_files
from shared.parsers.graph_json import message_from_json, subject_in
from shared.parsers.registry import read
from tests.fake_graph.eml import message_fields

RECEIVED = datetime(2026, 3, 2, 22, 6, tzinfo=UTC)
MESSAGE = {
    "subject": "[Success] Nightly",
    "from": {"emailAddress": {"name": "Oak backup", "address": "Backup@Oak.example"}},
    "sender": {"emailAddress": {"name": "Relay", "address": "relay@oak.example"}},
    "internetMessageId": "<1@oak.example>",
    "sentDateTime": "2026-03-02T22:05:00Z",
    "hasAttachments": False,
    "body": {"contentType": "text", "content": "Backup job: Nightly\r\nSuccess"},
}
NAMES = [*MESSAGE, "emailAddress", "name", "address", "contentType", "content"]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.datetimes().map(str),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=6),
    max_leaves=12,
)


def message(**changed: object) -> bytes:
    return json.dumps(MESSAGE | changed).encode()


def mail_of(**changed: object) -> Mail:
    return message_from_json(message(**changed), received_at=RECEIVED).mail


def reading_of_message(raw: bytes) -> Json:
    """Read a mail as the import does: where its body does not say enough and it has attachments, as a whole."""
    found = message_from_json(json.dumps(message_fields(raw)).encode(), received_at=RECEIVED)
    outcome = read(found.mail)
    if found.has_attachments and not isinstance(outcome, Parsed):
        outcome = read(mail_from_eml(raw, received_at=RECEIVED))
    return outcome_json(outcome)


@pytest.mark.parametrize("sample", sample_files(), ids=lambda sample: f"{sample.parent.parent.name}/{sample.stem}")
def test_a_sample_reads_as_a_message_as_it_does_as_a_file(sample: Path) -> None:
    raw = sample.read_bytes()

    assert reading_of_message(raw) == outcome_json(read(mail_from_eml(raw, received_at=RECEIVED)))


def test_a_message_becomes_the_mail_that_its_file_would_be() -> None:
    mail = mail_of()

    assert mail == Mail(
        from_address="backup@oak.example",
        from_name="Oak backup",
        subject="[Success] Nightly",
        text="Backup job: Nightly\nSuccess",
        body="Backup job: Nightly\nSuccess",
        sent_at=datetime(2026, 3, 2, 22, 5, tzinfo=UTC),
        received_at=RECEIVED,
        received_source="mailbox",
        message_id="<1@oak.example>",
    )


def test_html_is_read_as_a_reader_sees_it() -> None:
    mail = mail_of(body={"contentType": "HTML", "content": "<p>Job:&nbsp;Nightly</p><p>Success</p>"})

    assert (mail.text, mail.html[:3], mail.body) == ("", "<p>", "Job: Nightly\n\nSuccess")


@pytest.mark.parametrize("nobody", [None, {}, {"emailAddress": {"name": "", "address": None}}])
def test_who_sent_it_stands_in_for_an_author_who_is_not_named(nobody: object) -> None:
    assert mail_of(**{"from": nobody}).from_address == "relay@oak.example"


def test_a_draft_of_nobody_is_still_a_mail() -> None:
    mail = mail_of(**{"from": None, "sender": None, "subject": None, "internetMessageId": None})

    assert (mail.from_address, mail.from_name, mail.subject, mail.message_id) == ("", "", "", None)


def test_an_address_that_stands_in_for_a_name_is_no_name() -> None:
    person = {"emailAddress": {"name": "backup@oak.example", "address": "backup@oak.example"}}

    assert mail_of(**{"from": person}).from_name == ""


@pytest.mark.parametrize("when", ["0001-01-01T00:00:00Z", "", None, "yesterday", "9999-12-31T23:59:59Z"])
def test_a_time_that_no_mail_can_have_is_none(when: str | None) -> None:
    assert mail_of(sentDateTime=when).sent_at is None


def test_what_no_column_takes_is_left_out() -> None:
    mail = mail_of(subject="[Success]\r\n\0Nightly \ud800", body={"contentType": "text", "content": "a\0b\ud83d"})

    assert (mail.subject, mail.text) == ("[Success] Nightly ?", "ab?")


def test_a_body_beyond_all_reason_proves_nothing() -> None:
    mail = mail_of(body={"contentType": "text", "content": "Success\n" * 300_000})

    assert (mail.truncated, len(mail.text)) == (True, 2_000_000)


@pytest.mark.parametrize(
    "content, what",
    [
        (b"", "not JSON"),
        (b"\xff\xfe", "not JSON"),
        (b"[" * 200_000, "not JSON"),
        (b'{"subject": ' + b"9" * 5_000 + b"}", "not JSON"),
        (b"[]", "not a message"),
        (b"{}", "body"),
        (message(body=None), "body"),
        (message(body={"contentType": "rtf", "content": "x"}), "body.contentType"),
        (message(subject=["a"]), "subject"),
        (message(**{"from": {"emailAddress": {"address": 7}}}), "from.emailAddress.address"),
        (b" " * 25_000_001, "larger than 25 MB"),
    ],
    ids=range(11),
)
def test_what_is_no_message_is_said_to_be_none(content: bytes, what: str) -> None:
    with pytest.raises(NotAMail, match=what):
        message_from_json(content, received_at=RECEIVED)


def test_the_subject_can_be_told_of_what_is_no_message() -> None:
    assert subject_in(message(body=None)) == "[Success] Nightly"
    assert subject_in(b"nonsense") == subject_in(b'{"subject": 7}') == ""


@given(ANYTHING | st.fixed_dictionaries({}, optional=dict.fromkeys(NAMES, ANYTHING)))
def test_whatever_is_in_the_json_ends_as_a_mail_that_can_be_stored_or_as_none(anything: Any) -> None:
    _is_settled(json.dumps(anything).encode())


@given(st.dictionaries(st.sampled_from(list(MESSAGE)), ANYTHING, max_size=3))
def test_a_message_with_something_odd_in_it_ends_the_same_way(odd: dict[str, Any]) -> None:
    _is_settled(message(**odd))


@given(st.binary(max_size=400))
def test_bytes_that_are_no_json_are_said_to_be_none(content: bytes) -> None:
    _is_settled(content)


def _is_settled(content: bytes) -> None:
    try:
        mail = message_from_json(content, received_at=RECEIVED).mail
    except NotAMail as problem:
        assert str(problem)  # noqa: PT017 -- being no message is a good end too
        assert "\0" not in subject_in(content)
        return
    words = "\n".join([mail.subject, mail.from_address, mail.from_name, mail.text, mail.html, mail.message_id or ""])
    assert "\0" not in words
    assert words.encode("utf-8")
    read(mail)
