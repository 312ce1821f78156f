import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from shared.db.session import transaction


@pytest.mark.parametrize("turn", [1, 2])
def test_what_a_test_commits_on_its_session_is_gone_for_the_next(db: Session, turn: int) -> None:
    assert db.scalar(text("SELECT to_regclass('probe')")) is None

    db.execute(text("CREATE TABLE probe ()"))
    db.commit()


@pytest.mark.parametrize("turn", [1, 2])
def test_a_clean_database_is_reached_by_the_code_and_gone_for_the_next(
    clean_database: str, committed_db: Session, turn: int
) -> None:
    assert committed_db.scalar(text("SELECT to_regclass('probe')")) is None
    committed_db.commit()

    with transaction() as session:
        session.execute(text("CREATE TABLE probe ()"))

    assert committed_db.scalar(text("SELECT to_regclass('probe')")) == "probe"
    engine = create_engine(clean_database)
    with engine.connect() as stranger:
        assert stranger.scalar(text("SELECT count(*) FROM probe")) == 0
    engine.dispose()


def test_the_database_is_migrated(db: Session) -> None:
    assert db.scalar(text("SELECT count(*) FROM alembic_version")) == 1
