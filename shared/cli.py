"""The administrator's and scripts' door: `python -m shared.cli COMMAND …`.

With `--json` stdout carries only JSON lines. Exit status: 0 done, 1 the work failed, 2 wrong usage.
"""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from getpass import getpass
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_NOT_THERE = frozenset({"42P01", "42703"})  # PostgreSQL's words for a table and a column that it doesn't have


def _parse(asked: argparse.Namespace) -> int:
    from shared.parsers.as_json import outcome_json, quarantined_json
    from shared.parsers.eml import NotAMail, mail_from_eml
    from shared.parsers.registry import read

    missing = False
    for name in asked.files:
        try:
            answer = outcome_json(read(mail_from_eml(Path(name).read_bytes())))
        except NotAMail as problem:
            answer = quarantined_json(str(problem))
        except OSError as problem:
            print(f"{name}: {problem.strerror}", file=sys.stderr)
            missing = True
            continue
        _show(asked, {"file": name, **answer})
    return 1 if missing else 0


def _import(asked: argparse.Namespace) -> int:
    from shared import clock
    from shared.clients.mailbox import FolderMailbox, FolderUnreadable
    from shared.domain.mailflow import Ending
    from shared.services.import_mailbox import Summary, import_mailbox

    def progress(summary: Summary) -> None:
        if summary.fetched % 50 == 0:
            print(f"\r{summary.fetched} mails", end="", file=sys.stderr, flush=True)

    started, mailbox = clock.now(), FolderMailbox(asked.folder)
    try:
        summary = import_mailbox(mailbox, trigger="cli", clock=clock.now, progress=progress)
    except FolderUnreadable as problem:
        print(problem, file=sys.stderr)
        return 2
    outcomes = {ending.value: summary.outcomes[ending.value] for ending in Ending}
    seconds = (clock.now() - started).total_seconds()
    _show(
        asked,
        {"fetched": summary.fetched, "readings": summary.readings, "outcomes": outcomes, "seconds": round(seconds, 3)},
    )
    for name in mailbox.unreadable:
        print(f"{name}: could not be read", file=sys.stderr)
    return 1 if mailbox.unreadable else 0


def _tick(asked: argparse.Namespace) -> int:
    """Do a timer's work, and in this process all that it puts into the queues."""
    from shared import clock
    from shared.clients.mailbox import FolderUnreadable
    from shared.clients.queue_memory import MemoryQueues
    from shared.clients.queues import open_queues
    from shared.domain.timer import Timer
    from shared.services.tick_autotask_sync import tick_autotask_sync
    from shared.services.tick_graph_subscription import tick_graph_subscription
    from shared.services.tick_mail_import import tick_mail_import
    from shared.services.tick_missed_runs import tick_missed_runs
    from shared.services.tick_watchdog import tick_watchdog
    from shared.services.work_off import work_off
    from shared.settings import settings

    given: datetime | None = asked.now
    ticks = {
        Timer.MAIL_IMPORT: tick_mail_import,
        Timer.GRAPH_SUBSCRIPTION: tick_graph_subscription,
        Timer.WATCHDOG: tick_watchdog,
        Timer.MISSED_RUNS: tick_missed_runs,
        Timer.AUTOTASK_SYNC: tick_autotask_sync,
    }
    queues = MemoryQueues()
    # The watchdog only looks: at the queues that the app uses.
    seen = open_queues(settings()) if asked.timer == Timer.WATCHDOG else queues
    try:
        counts = ticks[asked.timer](seen, clock=lambda: given or clock.now())
    except FolderUnreadable as problem:
        print(problem, file=sys.stderr)
        return 1
    done = work_off(queues, clock=lambda: given or clock.now())
    _show(asked, {**counts, **done.counts})
    if done.problem:
        print(done.problem, file=sys.stderr)
    return 1 if done.problem else 0


def _schedule(asked: argparse.Namespace) -> int:
    from shared.domain.judge_history import judge_history
    from shared.domain.run_history import BadHistory, read_history

    try:
        with asked.file.open(encoding="utf-8-sig", newline="") as lines:
            history = read_history(lines)
    except (BadHistory, OSError) as problem:
        print(f"{asked.file}: {problem}", file=sys.stderr)
        return 1
    for job, runs in history.items():
        verdict = judge_history(runs, asked.zone, until=asked.until, start=asked.start)
        _show(asked, {"job": job, **{name: _plain(value) for name, value in asdict(verdict).items()}})
    return 0


def _plain(value: object) -> object:
    return [each.isoformat() for each in value] if isinstance(value, tuple) else value


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise argparse.ArgumentTypeError(f"{name} is no time zone; write it like Europe/Amsterdam") from None


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is None:
            raise argparse.ArgumentTypeError(f"{text} needs an offset, like +01:00 or Z")
        return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text} is no time as ISO 8601 writes it") from None


def _migrate(asked: argparse.Namespace) -> int:
    from shared.db import migrate
    from shared.settings import settings

    migrate.upgrade(settings().database_url)
    _show(asked, {"revision": migrate.expected_revision()})
    return 0


def _check(asked: argparse.Namespace) -> int:
    from shared.db import migrate
    from shared.db.session import engine

    with engine().connect() as connection:
        found = migrate.current_revision(connection)
    expected = migrate.expected_revision()
    _show(asked, {"database": "ok", "revision": found, "expected": expected, "ok": found == expected})
    if found != expected:
        print(f"The schema is at {found or 'nothing'}, this code needs {expected}: run migrate.", file=sys.stderr)
    return 0 if found == expected else 1


def _create_user(asked: argparse.Namespace) -> int:
    from shared import clock
    from shared.db.session import transaction
    from shared.domain.permissions import Role
    from shared.services.audit import SYSTEM
    from shared.services.users import create_user

    password = sys.stdin.readline().rstrip("\r\n") if asked.password_stdin else getpass("Password: ")
    with transaction() as db:
        user = create_user(db, asked.username, password, [Role(asked.role)], actor=SYSTEM, now=clock.now())
    _show(asked, {"id": user.id, "username": user.username, "role": asked.role})
    return 0


def _bench(asked: argparse.Namespace) -> int:
    """Run the benchmarks beside the code; they aren't deployed, so the name is looked up only now."""
    import_module("infra.bench.__main__").main(["--json"] if asked.json else [])
    return 0


def _show(asked: argparse.Namespace, answer: dict[str, object]) -> None:
    if asked.json:
        print(json.dumps(answer, ensure_ascii=False))
        return
    print("\n".join(f"{key:>16}  {value}" for key, value in answer.items() if value not in (None, [], "")), end="\n\n")


def _arguments() -> argparse.ArgumentParser:
    ask = argparse.ArgumentParser(prog="python -m shared.cli", description=__doc__)
    commands = ask.add_subparsers(dest="command", required=True)

    parse = _command(commands, "parse", _parse, "read mails with today's parsers, no database")
    parse.add_argument("files", nargs="+", metavar="FILE.eml")

    schedule = _command(commands, "schedule", _schedule, "learn schedules from a history and judge it, no database")
    schedule.add_argument("file", type=Path, metavar="FILE.csv", help="job,ran_at[,status], a row a run")
    schedule.add_argument("--zone", type=_zone, default="Europe/Amsterdam", help="the zone of the jobs' wall clock")
    schedule.add_argument("--from", dest="start", type=_instant, metavar="ISO", help="judge slots from here on")
    schedule.add_argument("--until", type=_instant, metavar="ISO", required=True, help="the time it is taken to be")

    imports = _command(commands, "import", _import, "import every .eml file below a folder")
    imports.add_argument("--folder", type=Path, required=True)

    tick = _command(commands, "tick", _tick, "run one timer's work once, as the timer would")
    tick.add_argument(
        "timer", choices=["mail_import", "missed_runs", "autotask_sync", "graph_subscription", "watchdog"]
    )
    tick.add_argument("--now", type=_instant, metavar="ISO", help="the time that it is taken to be")

    _command(commands, "migrate", _migrate, "bring the schema to its newest revision")
    _command(commands, "check", _check, "compare the database with this code")

    _command(commands, "bench", _bench, "measure parsing and importing against floors")

    admin = _command(commands, "create-admin", _create_user, "add an administrator")
    admin.set_defaults(role="admin")
    user = _command(commands, "create-user", _create_user, "add a user")
    user.add_argument("--role", choices=["admin", "operator", "viewer", "reporter"], required=True)
    for each in (admin, user):
        each.add_argument("--username", required=True)
        each.add_argument("--password-stdin", action="store_true", help="read the password from stdin's first line")
    return ask


def _command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int],
    what: str,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=what, description=what)
    command.add_argument("--json", action="store_true", help="print only JSON lines on stdout")
    command.set_defaults(run=run)
    return command


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; refusals and settings that can't be used are a line on stderr, not a traceback."""
    asked = _arguments().parse_args(arguments)
    try:
        status: int = asked.run(asked)
    except Exception as problem:
        if (sentence := _expected(problem)) is None:
            raise
        print(sentence, file=sys.stderr)
        return 1
    return status


def _expected(problem: Exception) -> str | None:
    """Return the line that says what went wrong, None when it is a fault of ours."""
    from alembic.util import CommandError
    from sqlalchemy.exc import OperationalError, ProgrammingError

    from shared.services.errors import Refusal
    from shared.settings import BadSetting

    match problem:
        case Refusal() | BadSetting() | CommandError():
            return str(problem)
        case OperationalError():
            return f"The database did not do it: {' '.join(str(problem.orig).split())}"
        case ProgrammingError() if getattr(problem.orig, "pgcode", "") in _NOT_THERE:
            return "The database lacks what this code needs: run migrate."
    return None


def _write_utf8() -> None:
    """Let stdout be UTF-8 wherever it goes; a byte of a file name that is none becomes an escape, as JSON writes it."""
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")


if __name__ == "__main__":
    _write_utf8()
    sys.exit(main())
