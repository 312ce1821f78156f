from collections.abc import Iterator
from email.message import EmailMessage

import pytest
from fastapi import FastAPI

from shared.domain.mailflow import Ending
from tests.http_api.client import Browser
from tests.http_api.inbox_world import came_in, outcome, readings, report
from tests.http_api.lists import make_customer
from tests.http_api.live import Tab, opened, served

pytestmark = [pytest.mark.browser, pytest.mark.slow]

TOUCH = "try{top.document.title='touched'}catch(e){} try{parent.postMessage('touched','*')}catch(e){}"
HOSTILE = f"""<html><head><base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example/m">
<link rel="stylesheet" href="https://evil.example/l.css"><link rel="prefetch" href="https://evil.example/p">
<style>@import url(https://evil.example/i.css); @font-face{{font-family:x;src:url(https://evil.example/f.woff)}}
body{{font-family:x;background:url(https://evil.example/b.png)}}</style></head>
<body onload="{TOUCH}"><h1>Backup failed</h1><script>{TOUCH}</script><script src="https://evil.example/s.js"></script>
<img src="https://evil.example/t.gif" onerror="{TOUCH}"><img src="x" onerror="{TOUCH}">
<svg onload="{TOUCH}"><image href="https://evil.example/v.png"/></svg><video src="https://evil.example/w"></video>
<form id="f" action="https://evil.example/form"><button>Sign in</button></form>
<a id="away" href="https://evil.example/a" target="_top">Open the console</a>
<div style="background:url(https://evil.example/u.png)">cell</div>
<iframe src="https://evil.example/frame"></iframe><object data="https://evil.example/o"></object></body></html>"""


@pytest.fixture
def address(app: FastAPI, clean_database: str) -> Iterator[str]:
    with served(app) as found:
        yield found


@pytest.fixture
def tab(address: str, operator: Browser) -> Iterator[Tab]:
    with opened(address, operator) as found:
        yield found


def hostile_mail() -> int:
    message = EmailMessage()
    message["From"], message["Subject"] = "backup@oak.example", "Backup failed"
    message.set_content(HOSTILE, subtype="html")
    return came_in(message.as_bytes())


def watched(tab: Tab) -> list[str]:
    """Let no request leave, and note each one that tries, and each message to the page around the frame."""
    asked: list[str] = []
    tab.page.route(
        lambda url: not url.startswith(tab.address), lambda route: (asked.append(route.request.url), route.abort())
    )
    tab.page.add_init_script("window.said = []; addEventListener('message', event => said.push(event.data))")
    return asked


@pytest.mark.parametrize("place", ["/inbox/{}", "/mails/{}", "/mails/{}/body"])
def test_a_hostile_mail_runs_nothing_loads_nothing_and_touches_nothing(place: str, tab: Tab) -> None:
    asked = watched(tab)
    tab.page.goto(tab.address + place.format(hostile_mail()))
    shown = tab.page.frames[-1]
    shown.wait_for_selector("text=Backup failed")
    title = tab.page.title()

    shown.click("text=Open the console")
    tab.page.wait_for_timeout(500)

    assert asked == []
    assert tab.page.evaluate("window.said") == []
    assert tab.page.title() == title
    assert tab.page.url.startswith(tab.address)
    assert [words for words in tab.trouble if "Content Security Policy" not in words and "sandboxed" not in words] == []


def test_the_frame_has_an_origin_of_its_own(tab: Tab) -> None:
    tab.page.goto(f"{tab.address}/inbox/{hostile_mail()}")
    tab.page.frames[-1].wait_for_selector("text=Backup failed")

    assert tab.page.evaluate("document.querySelector('iframe').contentDocument") is None


def test_a_mail_is_approved_with_the_keyboard_alone(tab: Tab) -> None:
    make_customer("Oak & Ash")
    first, second = report("One", nights_ago=1), report("Two", nights_ago=2)
    tab.page.goto(f"{tab.address}/inbox")

    tab.page.keyboard.press("j")
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url(f"**/inbox/{first}")
    field = f"#customer-{readings(first)[0].id}"
    tab.page.focus(field)
    tab.page.keyboard.type("ash")
    tab.page.wait_for_selector(".typeahead-option >> text=Oak & Ash")
    tab.page.keyboard.press("ArrowDown")
    tab.page.keyboard.press("Enter")
    assert tab.page.input_value(field) == "Oak & Ash"
    tab.page.keyboard.press("Enter")
    tab.page.wait_for_url(f"**/inbox/{second}")

    assert outcome(first) is Ending.RUN
    assert tab.trouble == []


def test_an_unknown_name_turns_the_button_into_one_that_creates_the_customer(tab: Tab) -> None:
    mail_id = report()
    tab.page.goto(f"{tab.address}/inbox/{mail_id}")

    tab.page.fill("[role=combobox]", "Elm & Sons")
    tab.page.click("button:has-text('Create customer “Elm & Sons” and approve')")
    tab.page.wait_for_url("**/inbox")

    assert outcome(mail_id) is Ending.RUN


def test_selected_rows_are_deleted_after_a_question_and_none_is_selected_afterwards(tab: Tab) -> None:
    mails = [report(f"Job {number}", nights_ago=number) for number in (1, 2, 3)]
    tab.page.goto(f"{tab.address}/inbox")

    tab.page.keyboard.press("j")
    tab.page.keyboard.press("x")
    tab.page.keyboard.press("j")
    tab.page.keyboard.press("x")
    tab.page.keyboard.press("d")
    tab.page.fill("#delete-reason", "tests")
    tab.page.click("dialog[open] .btn-danger")
    tab.page.wait_for_selector("text=2 mails deleted.")
    tab.page.reload()

    assert [outcome(mail_id) for mail_id in mails] == [Ending.DISMISSED, Ending.DISMISSED, Ending.INBOX]
    assert tab.page.locator("[data-select]:checked").count() == 0


def test_files_dropped_on_the_form_are_uploaded(tab: Tab) -> None:
    tab.page.goto(f"{tab.address}/inbox")
    tab.page.click("text=Upload mails")

    tab.page.evaluate(
        """() => {
            const files = new DataTransfer();
            files.items.add(new File(["From: a@oak.example\\nSubject: Dropped\\n\\nhello"], "dropped.eml"));
            const drop = new DragEvent("drop", { dataTransfer: files, bubbles: true, cancelable: true });
            document.querySelector("dialog .drop-area").dispatchEvent(drop);
        }"""
    )
    tab.page.click("dialog[open] .btn-primary")
    tab.page.wait_for_selector("text=What became of it")

    assert "dropped.eml" in tab.page.inner_text("table")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_no_page_of_mails_scrolls_sideways(width: int, tab: Tab) -> None:
    mail_id = report("N" * 120, origin="HOST-" + "x" * 60)
    came_in(b"no mail", f"{'y' * 120}.png")
    tab.page.set_viewport_size({"width": width, "height": 800})

    for path in (
        "/inbox",
        f"/inbox/{mail_id}",
        f"/mails/{mail_id}",
        "/inbox?view=quarantined",
        "/inbox/upload",
        "/manage/ledger",
    ):
        tab.page.goto(tab.address + path)
        assert tab.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
