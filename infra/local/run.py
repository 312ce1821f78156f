"""`make run`: all in one process. What Azure provides is replaced, what we wrote is not."""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from infra.local import assets
from infra.local.first_start import ADMIN, SignIn, create_users, play_demo
from infra.local.functions import HttpFunctions, index, queue_handlers
from infra.local.postgres import PostgresError, Server
from infra.local.queues import emptying
from infra.local.surroundings import local_dir, set_defaults, start_logging
from infra.local.threads import working
from infra.local.timers import ticking, timers_of
from infra.local.web import PortTaken, check_port, serve
from shared.clients.queues import open_queues
from shared.services import heal_timers
from shared.services.errors import Refusal
from shared.settings import BadSetting, settings

DATABASE = "backupchecks"


def main() -> int:
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGINT, _interrupt)
    folder = local_dir()
    set_defaults(folder)
    start_logging(folder / "app.log")
    try:
        check_port(settings().app_port)
        with _database(folder):
            _run(folder)
    except KeyboardInterrupt:
        print("Stopped.")
    except (BadSetting, PortTaken, PostgresError, Refusal) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _run(folder: Path) -> None:
    """Bring the database up to date, then serve until somebody says stop."""
    from shared.db import migrate, session

    migrate.upgrade(settings().database_url)
    session.configure(settings().database_url)
    settings().mail_folder.mkdir(parents=True, exist_ok=True)
    created = create_users()
    if created:
        _tell_sign_in(created)
    play_demo(settings().mail_folder, folder / "demo-unfinished", first=created is not None)
    assets.build()
    try:
        _serve(created)
    finally:
        session.dispose()


def _serve(created: SignIn | None) -> None:
    import function_app
    from functions.http_api.app import app
    from functions.http_api.healing import LookAfterTimers

    functions, queues = index(function_app.app), open_queues(settings())
    site = HttpFunctions(LookAfterTimers(app), functions, queues)
    heal_timers.pause.begin()
    with working(ticking(timers_of(functions)) | emptying(queues, queue_handlers(functions))), _stopping_quietly():
        serve(site, settings().app_port, lambda: _announce(created))


@contextlib.contextmanager
def _database(folder: Path) -> Iterator[None]:
    """Run the embedded PostgreSQL during the block, unless the environment names another server."""
    if os.environ.get("DB_HOST"):
        yield
        return
    with Server(folder / "postgres", durable=True, name="backupchecks") as server:
        if DATABASE not in server.databases():
            server.create_database(DATABASE)
        os.environ.update(server.environment(DATABASE))
        settings.cache_clear()  # the port was needed before the database was known
        yield


@contextlib.contextmanager
def _stopping_quietly() -> Iterator[None]:
    """After the block nothing interrupts the clearing up, however often somebody presses Ctrl-C."""
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        print("\nStopping …")


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _tell_sign_in(created: SignIn) -> None:
    password = created.password or "the one in DEMO_ADMIN_PASSWORD"
    print(
        f"Created the users {', '.join(created.usernames)}. The password of each, shown only now: {password}",
        flush=True,
    )


def _announce(created: SignIn | None) -> None:
    if created is None:
        who = f"{ADMIN}, with the password shown at the first start"
    else:
        who = f"{ADMIN} / {created.password or 'the password in DEMO_ADMIN_PASSWORD'}"
        others = [name for name in created.usernames if name != ADMIN]
        who += f"   (with the same password: {', '.join(others)})" if others else ""
    print(
        f"""
Backupchecks runs at  http://localhost:{settings().app_port}
Sign in as            {who}
Mails                 drop .eml files into {settings().mail_folder}
Log                   {settings().local_dir / "app.log"}
Stop                  with Ctrl-C
""",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
