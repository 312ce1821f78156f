"""The documents name what exists."""

import re
from pathlib import Path

import pytest

from shared.domain.mailflow import Ending
from shared.domain.status import Status

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
SOURCES = [path for folder in ("shared", "functions", "infra") for path in (ROOT / folder).rglob("*.py")]
VARIABLE = re.compile(r"environ(?:ment)?(?:\.get\(|\[)\"([A-Z_]+)\"")
OF_THE_PLATFORM = ("WEBSITE_", "XDG_", "PATH")


def test_every_environment_variable_is_documented() -> None:
    page = (DOCS / "settings.md").read_text()
    used = {name for source in SOURCES for name in VARIABLE.findall(source.read_text())}

    undocumented = {name for name in used if f"`{name}`" not in page and not name.startswith(OF_THE_PLATFORM)}

    assert undocumented == set()


@pytest.mark.parametrize("word", [*Ending, *Status], ids=str)
def test_the_glossary_knows_every_outcome_and_verdict(word: str) -> None:
    assert word in (DOCS / "glossary.md").read_text()


@pytest.mark.parametrize("page", [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))], ids=lambda page: page.name)
def test_paths_that_a_document_names_exist(page: Path) -> None:
    named = re.findall(r"`((?:shared|functions|infra|docs|tests)/[\w/.]+)`", page.read_text())

    assert [path for path in named if not (ROOT / path).exists()] == []
