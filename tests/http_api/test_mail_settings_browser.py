"""From nothing to imported mails in a browser: test the connection, choose a folder, import, see what came of it."""

from collections.abc import Iterator

import pytest
from fastapi import FastAPI

from tests.fake_graph import FakeGraph
from tests.http_api.client import Browser
from tests.http_api.live import Tab, opened, served
from tests.http_api.mail_world import a_dead_letter, a_read, do_what_waits, mailbox_in_a_fake, switch
from tests.mails import report_mail

pytestmark = [pytest.mark.browser, pytest.mark.slow]

PATH = "/manage/settings/mail"


@pytest.fixture
def graph(monkeypatch: pytest.MonkeyPatch, settings_of_the_test: None) -> Iterator[FakeGraph]:
    with mailbox_in_a_fake(monkeypatch) as found:
        yield found


@pytest.fixture
def tab(app: FastAPI, clean_database: str, graph: FakeGraph, admin: Browser) -> Iterator[Tab]:
    with served(app) as address, opened(address, admin) as found:
        yield found


def test_from_the_settings_to_the_summary(tab: Tab, graph: FakeGraph) -> None:
    graph.add_folder("Inbox/Backup")
    for number in range(3):
        graph.deliver(report_mail(f"Job {number}"), folder="Inbox/Backup")
    page = tab.page
    page.goto(f"{tab.address}{PATH}")

    page.fill("#other", "boss@msp.example")
    page.click("text=Test the connection")
    page.wait_for_selector("text=boss@msp.example is out of reach, as it should be.")
    assert page.locator(".check-failed").count() == 0

    page.click("text=Choose folders…")
    page.uncheck("label:has-text('Inbox') >> nth=0")
    page.check("label:has-text('Inbox/Backup')")
    page.click("#folder-list >> text=Save")
    page.wait_for_selector("text=1 folder will be read from now on.")
    assert page.inner_text("#folder-list").split("\n")[0].startswith("Inbox/Backup")

    page.click("text=Import now")
    page.wait_for_selector("text=Waiting for the mailbox to be read")
    do_what_waits()
    page.wait_for_selector("text=3 new mails imported; the mailbox was read to its end.")
    page.click(".import-progress dd a")
    page.wait_for_selector("h1:has-text('Inbox')")

    assert page.locator("tr[data-row]").count() == 3
    assert tab.trouble == []


def test_a_double_click_asks_once(tab: Tab, graph: FakeGraph) -> None:
    graph.deliver(report_mail())
    tab.page.goto(f"{tab.address}{PATH}")

    tab.page.dblclick("text=Import now")
    tab.page.wait_for_selector("text=Waiting for the mailbox to be read")
    do_what_waits()
    tab.page.wait_for_selector("text=1 new mail imported")

    assert len([call for call in graph.calls if "delta" in call.path]) == 1


def test_the_keyboard_settles_dead_letters(tab: Tab) -> None:
    for _ in range(2):
        a_dead_letter()
    tab.page.goto(f"{tab.address}/manage/dead-letters")

    tab.page.keyboard.press("j")
    tab.page.keyboard.press("x")
    tab.page.keyboard.press("j")
    tab.page.keyboard.press("x")
    tab.page.click("[data-bulk-bar] >> text=Discard…")
    tab.page.click("dialog[open] >> button:has-text('Discard')")
    tab.page.wait_for_selector("text=2 messages discarded.")

    assert tab.page.locator("tr.is-settled").count() == 2


@pytest.mark.parametrize("width", [360, 768, 1280, 1920])
def test_no_page_of_the_settings_scrolls_sideways(width: int, tab: Tab, graph: FakeGraph) -> None:
    graph.add_folder("Inbox/" + "N" * 120)
    a_dead_letter("x" * 300)
    switch(import_enabled=True)
    a_read(minutes_ago=90, error="e" * 200)
    tab.page.set_viewport_size({"width": width, "height": 800})

    paths = ("/manage/settings", PATH, f"{PATH}/folders", "/manage/pipeline", "/manage/dead-letters")
    for path in paths:
        tab.page.goto(tab.address + path)
        assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
