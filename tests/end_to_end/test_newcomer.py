"""What a newcomer does on his first two days, in a real browser against what `make run` starts."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import require
from tests.http_api.live import CHROMIUM, QUIET
from tests.mails import NIGHT, report_mail

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".local" / "screenshots"
PASSWORD = "a-first-password-7"


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The address of an empty installation, started as `make run DEMO=0` does."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    without_database = {key: value for key, value in os.environ.items() if key not in ("DB_HOST", "MAIL_FOLDER")}
    own = {"LOCAL_DIR": str(tmp_path), "APP_PORT": str(port), "DEMO": "0", "DEMO_ADMIN_PASSWORD": PASSWORD}
    runner = subprocess.Popen(
        [sys.executable, "-m", "infra.local.run"], cwd=ROOT, env=without_database | own, stdout=subprocess.DEVNULL
    )
    try:
        _wait_until_healthy(f"http://127.0.0.1:{port}/health", runner)
        yield f"http://127.0.0.1:{port}"
    finally:
        runner.send_signal(signal.SIGTERM)
        runner.wait(30)


@pytest.fixture
def page(address: str) -> Iterator["Page"]:
    require("chromium", CHROMIUM.exists())
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        context = chromium.new_context(base_url=address, viewport={"width": 1280, "height": 800})
        context.set_default_timeout(10_000)
        yield context.new_page()
        chromium.close()


def test_a_newcomer_approves_a_job_and_reviews_its_next_night(page: "Page", tmp_path: Path) -> None:
    sign_in(page)
    upload(page, tmp_path, "monday.eml", report_mail("Nightly VMs", sent_at=NIGHT))

    page.goto("/inbox")
    picture(page, "inbox")
    page.click("text=Nightly VMs")
    page.wait_for_load_state("networkidle")
    page.fill("input[name=customer]", "Hollander Groep")
    page.click("button[name=create]")
    page.wait_for_selector("text=Hollander Groep")

    failed = report_mail("Nightly VMs", status="Failed", sent_at=NIGHT + timedelta(days=1))
    upload(page, tmp_path, "tuesday.eml", failed)
    page.goto("/inbox")
    assert page.locator("[data-row]").count() == 0

    page.goto("/run-checks")
    picture(page, "run-checks")
    row = page.locator("tr[data-job]")
    assert "Nightly VMs" in row.inner_text()
    assert "Hollander Groep" in row.inner_text()
    row.locator("input[type=checkbox]").check()
    page.keyboard.press("r")
    page.keyboard.press("2")
    page.wait_for_selector("text=Everything is reviewed.")
    page.reload()
    picture(page, "run-checks-empty")
    assert page.locator("text=2 runs reviewed today").is_visible()


def sign_in(page: "Page") -> None:
    page.goto("/")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url("**/run-checks")


def upload(page: "Page", folder: Path, name: str, raw: bytes) -> None:
    file = folder / name
    file.write_bytes(raw)
    page.goto("/inbox/upload")
    page.set_input_files("input[name=files]", file)
    page.click("main button:has-text('Upload')")
    page.wait_for_load_state()
    assert name in page.inner_text("main")


def picture(page: "Page", name: str) -> None:
    """Leave a screenshot in both themes, narrow and wide, for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    for theme in ("light", "dark"):
        for width in (360, 1280, 1920):
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": width, "height": 800})
            page.screenshot(path=SCREENSHOTS / f"{name}-{theme}-{width}.png")
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 1280, "height": 800})


def _wait_until_healthy(url: str, runner: "subprocess.Popen[bytes]") -> None:
    for _ in range(300):
        assert runner.poll() is None, "the runner ended"
        try:
            with urllib.request.urlopen(url, timeout=2) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.2)
    raise AssertionError(f"{url} did not answer")
