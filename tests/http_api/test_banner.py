"""The line over every page while mails are not read."""

import re
from collections.abc import Callable

import pytest

from shared import clock
from shared.domain.mailflow import Source
from shared.domain.permissions import Role
from tests.http_api.client import Browser
from tests.http_api.lists import counted_statements, text_of
from tests.http_api.mail_world import a_mailbox, a_read, read_a_mailbox, switch


def banner(browser: Browser, path: str = "/account") -> str:
    found = re.search(r'<div class="banners">(.*?)\n</div>', browser.get(path).text, re.DOTALL)
    return text_of(found[1]) if found else ""


def link(browser: Browser) -> list[str]:
    return re.findall(r'<div class="banner .*? <a href="([^"]+)">Details', browser.get("/account").text)


def test_that_the_import_is_off_is_said_to_those_who_can_change_it(
    admin: Browser, signed_in: Callable[[Role], Browser]
) -> None:
    assert "Automatic import is switched off" in banner(admin)
    assert link(admin) == ["/manage/settings/mail"]
    assert banner(signed_in(Role.OPERATOR)) == ""


def test_while_mails_are_read_nothing_is_said(admin: Browser) -> None:
    switch(import_enabled=True)
    assert banner(admin) == ""  # switched on a moment ago

    a_read(minutes_ago=59)

    assert banner(admin) == ""


@pytest.mark.parametrize("role", Role)
def test_everybody_is_told_that_mails_were_not_read_for_an_hour(
    role: Role, signed_in: Callable[[Role], Browser]
) -> None:
    switch(import_enabled=True)
    a_read(minutes_ago=61)
    a_read(minutes_ago=3, complete=False)  # stopped on its way
    browser = signed_in(role)

    said = banner(browser)

    assert re.fullmatch(
        r"The mail folder has not been read since [\w: ]+ ?\. Missed runs are not judged until it is\.( Details)?", said
    )
    assert link(browser) == (["/manage/pipeline"] if role is Role.ADMIN else [])


def test_a_long_interval_gets_its_time(admin: Browser) -> None:
    switch(import_enabled=True, import_interval_minutes=60)
    a_read(minutes_ago=100)

    assert banner(admin) == ""


def test_a_source_that_was_never_read_to_its_end_is_named(admin: Browser) -> None:
    switch(import_enabled=True)
    a_read(minutes_ago=90, complete=False)

    assert "The mail folder has never been read to its end." in banner(admin)


def test_while_the_import_is_off_others_are_told_since_when_nothing_was_read(operator: Browser) -> None:
    a_read(minutes_ago=90)

    assert "has not been read since" in banner(operator)


def test_a_missing_credential_is_said_at_once(
    admin: Browser, operator: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_a_mailbox(monkeypatch)
    switch(import_enabled=True)

    assert "The mailbox cannot be read: GRAPH_CLIENT_ID is not set" in banner(admin)
    assert "The mailbox cannot be read: An administrator has to see to it." in banner(operator)


def test_only_an_error_that_a_person_must_mend_is_said_at_once(admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    read_a_mailbox(monkeypatch, GRAPH_CLIENT_ID="a client id")
    switch(import_enabled=True)
    mailbox_id = a_mailbox(last_error="the client secret has expired", last_error_at=clock.now(), needs_person=True)
    a_read(minutes_ago=5, mailbox_id=mailbox_id, source=Source.GRAPH)
    assert "The mailbox cannot be read: the client secret has expired" in banner(admin)

    monkeypatch.setenv("GRAPH_MAILBOX", "other@msp.example")
    read_a_mailbox(monkeypatch, GRAPH_MAILBOX="other@msp.example")

    assert banner(admin) == ""


def test_it_takes_one_statement_a_page(operator: Browser) -> None:
    with counted_statements() as asked:
        operator.get("/account")

    assert len([each for each in asked if "import_cycles" in each]) == 1


def test_parts_of_pages_carry_none(admin: Browser) -> None:
    assert "banner" not in admin.get("/customers/options").text
