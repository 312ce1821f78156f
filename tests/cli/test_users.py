import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from shared.domain.permissions import Role
from shared.models.users import User
from shared.services.passwords import matches
from tests.cli.command import Cli

PASSWORD = "three unrelated words"


def users(db: Session) -> dict[str, list[Role]]:
    return {user.username: user.roles for user in db.scalars(select(User).order_by(User.id))}


def test_the_first_administrator_is_made_with_a_password_from_stdin(cli: Cli, committed_db: Session) -> None:
    answer = cli("create-admin", "--username", "Anna", "--password-stdin", "--json", stdin=f"{PASSWORD}\n")

    user = committed_db.scalars(select(User)).one()
    assert (answer.status, answer.lines) == (0, [{"id": user.id, "username": "Anna", "role": "admin"}])
    assert user.roles == [Role.ADMIN]
    assert matches(user.password_hash, PASSWORD)
    assert PASSWORD not in answer.out + answer.err


@pytest.mark.parametrize("role", Role)
def test_a_further_user_gets_the_role_that_is_asked_for(role: Role, cli: Cli, committed_db: Session) -> None:
    answer = cli("create-user", "--username", "Bert", "--role", role, "--password-stdin", stdin=PASSWORD)

    assert answer.status == 0
    assert users(committed_db) == {"Bert": [role]}


def test_the_password_is_the_first_line_without_its_end_of_either_kind(cli: Cli, committed_db: Session) -> None:
    cli("create-admin", "--username", "Anna", "--password-stdin", stdin=f" {PASSWORD} \r\nand more\n")

    assert matches(committed_db.scalars(select(User.password_hash)).one(), f" {PASSWORD} ")


@pytest.mark.parametrize(
    "password, sentence",
    [
        ("", "Use at least 8 characters."),
        ("aaaaaaaaaa\n", "This password is too easy to guess. Use a few unrelated words."),
        ("Anna-the-admin\n", "This password is too easy to guess. Use a few unrelated words."),
    ],
)
def test_a_weak_password_is_refused_with_a_sentence(
    password: str, sentence: str, cli: Cli, committed_db: Session
) -> None:
    answer = cli("create-admin", "--username", "anna-the-admin", "--password-stdin", "--json", stdin=password)

    assert (answer.status, answer.out, answer.err) == (1, "", f"{sentence}\n")
    assert users(committed_db) == {}


@pytest.mark.parametrize("command", [["create-admin"], ["create-user", "--role", "viewer"]])
def test_a_name_is_taken_in_whatever_case_it_is_written(command: list[str], cli: Cli, committed_db: Session) -> None:
    cli("create-admin", "--username", "Anna", "--password-stdin", stdin=PASSWORD)

    answer = cli(*command, "--username", " ANNA", "--password-stdin", stdin="a password of my own")

    assert answer.status == 1
    assert answer.is_one_sentence
    assert "There is a user ANNA already." in answer.err
    assert users(committed_db) == {"Anna": [Role.ADMIN]}
