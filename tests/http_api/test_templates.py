"""What the policy of our pages, and their promise to work without script, ask of every template."""

import json
import re
from pathlib import Path

import pytest

from functions.http_api.assets import FOLDER, MANIFEST
from tests import require

PAGES = FOLDER.parent
TEMPLATES = sorted(path for path in PAGES.rglob("*.html") if "static" not in path.parts)
FORBIDDEN = {
    "an inline handler": re.compile(r"""[\s"'](?:on[a-z]+|hx-on[:\w-]*)\s*=""", re.IGNORECASE),
    "a style attribute": re.compile(r"\sstyle\s*=", re.IGNORECASE),
    "a style element": re.compile(r"<style\b", re.IGNORECASE),
    "a script without nonce": re.compile(r"<script\b(?![^>]*\bnonce=)", re.IGNORECASE),
    "a javascript address": re.compile(r"javascript:", re.IGNORECASE),
    "another host": re.compile(r"""(?:src|href|action)=["'](?:https?:)?//""", re.IGNORECASE),
    "evaluated values": re.compile(r"""hx-(?:vals|headers)=["'](?:js|javascript):"""),
    "an evaluated trigger": re.compile(r"""hx-trigger=["'](?:[^"']*,\s*)?[\w:]+\["""),
    "trust in a value": re.compile(r"\|\s*safe\b"),
}


def relative(path: Path) -> str:
    return path.relative_to(PAGES).as_posix()


@pytest.mark.parametrize("template", TEMPLATES, ids=relative)
def test_a_template_holds_nothing_that_the_policy_forbids(template: Path) -> None:
    source = template.read_text()

    assert [what for what, pattern in FORBIDDEN.items() if pattern.search(source)] == []


@pytest.mark.parametrize("template", TEMPLATES, ids=relative)
def test_every_form_that_posts_carries_the_token(template: Path) -> None:
    forms = re.findall(r'<form\b[^>]*method="post".*?</form>', template.read_text(), re.DOTALL | re.IGNORECASE)

    assert [form[:80] for form in forms if "csrf_field()" not in form] == []


def test_every_icon_that_is_named_was_put_into_the_sprite() -> None:
    require("the front-end assets (`make assets`)", MANIFEST.exists())
    sprite = (FOLDER / json.loads(MANIFEST.read_text())["vendor/bootstrap-icons.svg"]).read_text()
    named = {
        name for template in TEMPLATES for name in re.findall(r"""\bicon\(["']([a-z0-9-]+)["']""", template.read_text())
    }

    assert {name for name in named if f'id="{name}"' not in sprite} == set()
