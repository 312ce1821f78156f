"""Command lines: one that reaches no database, one over a migrated one, one over a database without tables."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import make_url

from infra.local.postgres import Server
from tests.cli.command import Cli
from tests.conftest import fresh_names


@pytest.fixture
def cli_alone(tmp_path: Path) -> Cli:
    return Cli(LOCAL_DIR=str(tmp_path / "local"))


@pytest.fixture
def cli(postgres: Server, clean_database: str, tmp_path: Path) -> Cli:
    return _over(postgres, make_url(clean_database).database or "", tmp_path)


@pytest.fixture
def cli_unmigrated(postgres: Server, tmp_path: Path) -> Iterator[Cli]:
    name = next(fresh_names)
    postgres.create_database(name)
    yield _over(postgres, name, tmp_path)
    postgres.drop_database(name)


def _over(postgres: Server, database: str, tmp_path: Path) -> Cli:
    return Cli(LOCAL_DIR=str(tmp_path / "local"), **postgres.environment(database))
