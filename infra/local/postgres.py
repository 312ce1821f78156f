"""An embedded PostgreSQL for `make run` and the tests.

Only the programs of the wheel are used; the launcher is our own, because it has to survive a server or a parent
that was killed a moment ago, and must not open the user's folders to run under root.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote

import psycopg2
from psycopg2 import sql

from infra.local.postgres_place import Account, PostgresError, account_for, data_place, programs

__all__ = ["InUseError", "PostgresError", "Server"]

USER = "postgres"
PORT = 5432  # only names the socket's file; no server listens on the network
SOCKET_PREFIX = "bc-pg-"
# A server that recovers from a crash may need minutes; one that fails exits at once.
START_SECONDS = 120
STOP_SECONDS = 60
LOG_LIMIT = 10_000_000

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": "60",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "unix_socket_permissions": "0700",
}
# For tests: a crash of the machine may take the data with it.
FAST_SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class InUseError(PostgresError):
    """A living process serves this data already."""


class Server:
    """One PostgreSQL server over one data folder. Start it again after any kind of crash; committed rows are there.

    `durable` waits for the disk at every commit. `name` shows in the process list.
    """

    def __init__(self, data_dir: Path, *, durable: bool, name: str) -> None:
        self.data_dir = data_dir.absolute()
        self._durable = durable
        self._name = name
        self._data = self.data_dir
        self._socket_dir: Path | None = None
        self._lock: IO[bytes] | None = None
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """Return the server's process id while it runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    @property
    def host(self) -> str:
        """Return what goes into DB_HOST: the folder of the server's socket."""
        if self._socket_dir is None:
            raise PostgresError(f"the database server {self._name} is not running")
        return str(self._socket_dir)

    @property
    def log_file(self) -> Path:
        return self.data_dir.with_name(f"{self.data_dir.name}.log")

    def url(self, dbname: str) -> str:
        return f"postgresql+psycopg2://{USER}@/{quote(dbname)}?host={quote(self.host)}&port={PORT}"

    def environment(self, dbname: str) -> dict[str, str]:
        """Return the settings with which the app reaches the database `dbname`."""
        return {"DB_HOST": self.host, "DB_PORT": str(PORT), "POSTGRES_DB": dbname, "POSTGRES_USER": USER}

    def start(self) -> None:
        """Start the server, and return when it takes connections.

        1. Take the lock: whoever holds it lives, so what still runs without it was orphaned.
        2. End orphans and clear up after them.
        3. Create the data folder if there is none.
        4. Start and wait.
        """
        if self.pid is not None:
            return
        self._release()
        self._data = data_place(self.data_dir)
        try:
            self._take_lock()
            account = account_for(self._data)
            bin_dir = programs(account)
            _end_orphans(self._data)
            self._create_data(account, bin_dir)
            self._launch(account, bin_dir)
            self._wait_until_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop the server; open connections are cut, committed rows are kept."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._process.send_signal(signal.SIGQUIT)
                self._process.wait(STOP_SECONDS)
        self._release()

    def kill(self) -> None:
        """End the server as a crash would; `start` brings it back at the same address."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def destroy(self) -> None:
        """Stop the server and delete its data."""
        self.stop()
        self._data = data_place(self.data_dir)
        self._take_lock()
        shutil.rmtree(self._data, ignore_errors=True)
        if self.data_dir.is_symlink():
            self.data_dir.unlink()
            self._lock_file.unlink()
            self._data.parent.rmdir()
        else:
            self._lock_file.unlink()
        self.log_file.unlink(missing_ok=True)
        self._release()

    def create_database(self, name: str, template: str | None = None) -> None:
        # Copying its files takes a tenth of the time that writing all of them to the log does.
        copied = sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY")
        source = copied.format(sql.Identifier(template)) if template else sql.SQL("")
        self._execute(sql.SQL("CREATE DATABASE {}{}").format(sql.Identifier(name), source))

    def drop_database(self, name: str) -> None:
        """Drop the database if it exists, whoever is connected to it."""
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))

    def databases(self) -> list[str]:
        """Return the names of all databases but PostgreSQL's own."""
        return self._execute(sql.SQL("SELECT datname FROM pg_database WHERE oid >= 16384 ORDER BY 1"))

    @property
    def _lock_file(self) -> Path:
        return self._data.with_name(f"{self._data.name}.lock")

    def _take_lock(self) -> None:
        try:
            lock = self._lock_file.open("a+b")
        except PermissionError:
            raise self._not_ours() from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().decode()
            lock.close()
            raise InUseError(f"{self.data_dir} is served by process {holder} already; stop that one first") from None
        if not os.fstat(lock.fileno()).st_nlink:  # its last holder destroyed everything, this file too
            lock.close()
            self._take_lock()
            return
        lock.truncate(0)
        lock.write(str(os.getpid()).encode())
        lock.flush()
        self._lock = lock

    def _release(self) -> None:
        self._process = None
        if self._socket_dir is not None:
            shutil.rmtree(self._socket_dir, ignore_errors=True)
            self._socket_dir = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def _create_data(self, account: Account, bin_dir: Path) -> None:
        if (self._data / "PG_VERSION").exists() and self._data_is_ours(bin_dir):
            return
        # Made beside its place and then renamed: a kill half way leaves no half a data folder.
        fresh = self._data.with_name(f"{self._data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        account.owns(fresh)
        command: list[str | Path] = [
            bin_dir / "initdb",
            "-D",
            fresh,
            "-U",
            USER,
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
        ]
        if not self._durable:
            command.append("--no-sync")
        with self._open_log() as log:
            if account.popen(command, log=log.fileno()).wait() != 0:
                raise self._failure("initdb failed")
        fresh.rename(self._data)

    def _data_is_ours(self, bin_dir: Path) -> bool:
        """Tell whether these programs can read the data; data that nobody keeps is removed if they cannot."""
        if not os.access(self._data, os.R_OK | os.X_OK):
            raise self._not_ours()
        have = (self._data / "PG_VERSION").read_text().strip()
        need = _major_version(bin_dir)
        if have == need:
            return True
        if self._durable:
            raise PostgresError(
                f"{self.data_dir} was made by PostgreSQL {have}, the programs are {need}: export and re-create it"
            )
        shutil.rmtree(self._data)
        return False

    def _not_ours(self) -> PostgresError:
        return PostgresError(f"{self.data_dir} belongs to another user: start as that user, or as root")

    def _launch(self, account: Account, bin_dir: Path) -> None:
        # A socket's path may be 107 bytes long, so it lies in /tmp and not beside the data.
        self._socket_dir = _socket_folder(self._data)
        account.owns(self._socket_dir)
        settings = SETTINGS | ({} if self._durable else FAST_SETTINGS)
        settings |= {"unix_socket_directories": str(self._socket_dir), "cluster_name": self._name}
        command: list[str | Path] = [bin_dir / "postgres", "-D", self._data]
        for key, value in settings.items():
            command += ["-c", f"{key}={value}"]
        with self._open_log() as log:
            self._process = account.popen(command, log=log.fileno())

    def _wait_until_ready(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.pid is None:
                raise self._failure("the database server stopped while starting")
            lines = _pid_file(self._data)
            # The eighth line is the server's own word on its state.
            if len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready":
                return
            time.sleep(0.005)
        raise self._failure(f"the database server was not ready after {START_SECONDS} seconds")

    def _failure(self, what: str) -> PostgresError:
        tail = self.log_file.read_text(errors="replace").splitlines()[-15:]
        return PostgresError("\n".join([f"{what}; the end of {self.log_file}:", *tail]))

    def _open_log(self) -> IO[bytes]:
        full = self.log_file.exists() and self.log_file.stat().st_size > LOG_LIMIT
        return self.log_file.open("wb" if full else "ab")

    def _execute(self, statement: sql.Composable) -> list[str]:
        connection = psycopg2.connect(host=self.host, port=PORT, user=USER, dbname="postgres")
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return [row[0] for row in cursor] if cursor.description else []
        finally:
            connection.close()


def _end_orphans(data: Path) -> None:
    """End servers that an earlier, killed process left over this data, and remove their traces.

    The pid file alone proves nothing: after a kill it is stale, and its number may belong to anybody by now.
    """
    lines = _pid_file(data)
    main = int(lines[0]) if lines and lines[0].isdigit() else None
    for ask, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 10), (signal.SIGKILL, 10)):
        for pid in _processes_over(data):
            # Only the main process is asked kindly; the others go with it.
            if pid == main or ask != signal.SIGINT:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, ask)
        # Without its main process a server ends by itself, and soon.
        if _wait_until_gone(data, seconds=seconds):
            break
    else:
        raise PostgresError(f"an earlier database server over {data} does not end")
    (data / "postmaster.pid").unlink(missing_ok=True)


def _wait_until_gone(data: Path, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while any(_processes_over(data)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.01)
    return True


def _processes_over(data: Path) -> Iterator[int]:
    """Yield the PostgreSQL processes that work in this data folder."""
    real = str(data.resolve())
    for process in Path("/proc").glob("[0-9]*"):
        # Gone meanwhile, or somebody else's.
        with contextlib.suppress(OSError):
            if str((process / "cwd").readlink()) == real and (process / "comm").read_text().startswith("postgres"):
                yield int(process.name)


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text().splitlines()
    except FileNotFoundError:
        return []


def _major_version(bin_dir: Path) -> str:
    told = subprocess.run([bin_dir / "postgres", "--version"], check=True, capture_output=True, text=True).stdout
    return told.split()[2].split(".")[0]


def _socket_folder(data: Path) -> Path:
    """Return an empty folder of ours, the same one for the same data: a restarted server keeps its address."""
    common = Path("/tmp")  # noqa: S108 (others cannot enter the folder, and we check whose it is)
    home = common if os.access(common, os.W_OK) else Path(tempfile.gettempdir())
    folder = home / f"{SOCKET_PREFIX}{hashlib.sha256(os.fsencode(data.resolve())).hexdigest()[:12]}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        raise PostgresError(f"{folder} belongs to somebody else; remove it") from None
    return folder
