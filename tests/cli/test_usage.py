import pytest

from tests.cli.command import Cli


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["no-such-command"],
        ["parse"],
        ["parse", "--no-such-option", "a.eml"],
        ["import"],
        ["tick"],
        ["tick", "no_such_timer"],
        ["tick", "mail_import", "--now", "yesterday"],
        ["tick", "mail_import", "--now", "2026-03-03T07:00:00"],
        ["tick", "mail_import", "--now", "0001-01-01T00:00:00+14:00"],
        ["create-admin"],
        ["create-user", "--username", "Anna"],
        ["create-user", "--username", "Anna", "--role", "owner"],
    ],
    ids=" ".join,
)
def test_wrong_usage_is_explained_and_has_a_status_of_its_own(arguments: list[str], cli_alone: Cli) -> None:
    answer = cli_alone(*arguments)

    assert (answer.status, answer.out) == (2, "")
    assert answer.err.startswith("usage: python -m shared.cli")
    assert "Traceback" not in answer.err


def test_a_time_without_an_offset_is_told_what_it_lacks(cli_alone: Cli) -> None:
    answer = cli_alone("tick", "mail_import", "--now", "2026-03-03T07:00:00")

    assert "needs an offset, like +01:00 or Z" in answer.err


def test_help_names_every_command(cli_alone: Cli) -> None:
    answer = cli_alone("--help")

    assert answer.status == 0
    assert all(name in answer.out for name in ("parse", "import", "tick", "migrate", "check", "create-admin", "bench"))
