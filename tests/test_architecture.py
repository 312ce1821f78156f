"""What no linter knows about how this code is laid out. The layers stand in pyproject.toml, for import-linter."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PRODUCT = ("function_app.py", "functions", "shared")
TOP_LEVEL = {
    "functions",
    "shared",
    "infra",
    "tests",
    "docs",
    ".ci",
    "function_app.py",
    "host.json",
    "local.settings.json.example",
    "azure.yaml",
    "requirements.txt",
    "requirements-local.txt",
    "requirements-dev.txt",
    "pyproject.toml",
    "Makefile",
    "package.json",
    "package-lock.json",
    "README.md",
    "LICENSE",
    ".editorconfig",
    ".funcignore",
    ".gitignore",
    ".npmrc",
}
MIGRATIONS = "shared/db/migrations/versions/"
LONGEST_FILE = 400

WAYS_TO_ASK_THE_TIME = {
    ("datetime", "now"),
    ("datetime", "utcnow"),
    ("datetime", "today"),
    ("date", "today"),
    ("time", "time"),
    ("time", "time_ns"),
}


@cache
def sources(*parts: str) -> dict[str, str]:
    """Return the text of every Python file under these parts of the project, by its path."""
    paths = [
        path for part in parts for path in ([ROOT / part] if part.endswith(".py") else (ROOT / part).rglob("*.py"))
    ]
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths if path.exists()}


@cache
def tree(path: str) -> ast.Module:
    return ast.parse((ROOT / path).read_text(encoding="utf-8"))


def last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def asks_the_time(path: str) -> Iterator[int]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Attribute) and (last_name(node.value), node.attr) in WAYS_TO_ASK_THE_TIME:
            yield node.lineno


def makes_rows_of(path: str, model: str) -> bool:
    names = {model, *tables_of(path, model)}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call):
            inserted = node.args[0] if node.args and last_name(node.func).endswith("insert") else None
            if isinstance(inserted, ast.Call) and inserted.args:
                inserted = inserted.args[0]  # insert(table_of(JobRun))
            if last_name(node.func) == model or (inserted is not None and last_name(inserted) in names):
                return True
    return False


def tables_of(path: str, model: str) -> Iterator[str]:
    """Yield what a module calls the table of a model."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Assign(
                targets=[ast.Name(id=name)],
                value=ast.Call(func=ast.Name(id="table_of"), args=[ast.Name(id=of)]),
            ) if of == model:
                yield name


def test_only_record_run_makes_a_job_run() -> None:
    assert [path for path in sources(*PRODUCT) if makes_rows_of(path, "JobRun")] == ["shared/services/record_run.py"]


def test_only_the_clock_asks_the_time() -> None:
    asked = [f"{path}:{line}" for path in sources(*PRODUCT, "infra") for line in asks_the_time(path)]

    assert [place for place in asked if not place.startswith("shared/clock.py:")] == []


def test_a_file_that_grows_past_400_lines_is_split() -> None:
    lengths = {path: text.count("\n") for path, text in sources(*PRODUCT, "infra", "tests").items()}

    too_long = {path: length for path, length in lengths.items() if length > LONGEST_FILE}
    assert {path for path in too_long if not path.startswith(MIGRATIONS)} == set()


def test_every_folder_of_modules_is_a_package() -> None:
    """The import contracts overlook what is not."""
    folders = {Path(path).parent for path in sources("functions", "shared", "infra")}

    bare = {folder.as_posix() for folder in folders if not (ROOT / folder / "__init__.py").exists()}
    assert {folder for folder in bare if not f"{folder}/".startswith("shared/db/migrations/")} == set()


def test_no_folder_selects_the_first_programming_model() -> None:
    """One `function.json`, and the platform looks for no function_app.py any more."""
    assert list((ROOT / "functions").rglob("function.json")) == []


def test_nothing_unexpected_lies_at_the_top() -> None:
    if not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout

    assert {line.strip('"').split("/")[0] for line in tracked.splitlines()} <= TOP_LEVEL


def test_every_requirement_is_pinned() -> None:
    lines = [line for name in ROOT.glob("requirements*.txt") for line in name.read_text().splitlines()]
    requirements = [line for line in lines if line and not line.startswith(("#", "-r "))]

    assert [line for line in requirements if not re.match(r"[\w-]+==[\w.]+(\s|$)", line)] == []


def test_the_lock_file_names_no_registry() -> None:
    """So that everybody installs from the one their machine is set up for."""
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    assert [name for name, package in packages.items() if "resolved" in package] == []
