"""What the Functions host gives the app in Azure, a developer's machine gets here: settings, a secret, logs."""

import json
import logging
import os
import secrets
from logging.handlers import RotatingFileHandler
from pathlib import Path

ROOT = Path(__file__).parents[2]
# Who drops a mail into the folder waits for it, and for what it means.
OFTENER = {"CRON_MAIL_IMPORT": "0 * * * * *", "CRON_MISSED_RUNS": "30 * * * * *", "CRON_AUTOTASK_SYNC": "45 * * * * *"}

_BUILT_IN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message", "taskName"}


def local_dir() -> Path:
    return Path(os.environ.get("LOCAL_DIR") or ".local")


def set_defaults(folder: Path) -> None:
    """Set what the environment leaves open, before anything reads it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in _schedules().items():
        os.environ.setdefault(name, value)
    os.environ["LOCAL_DIR"] = str(folder)
    if not os.environ.get("APP_SECRET_KEY"):
        os.environ["APP_SECRET_KEY"] = _kept_secret(folder / "secrets")


def _schedules() -> dict[str, str]:
    values: dict[str, str] = json.loads((ROOT / "local.settings.json.example").read_text())["Values"]
    return {name: value for name, value in values.items() if name.startswith("CRON_")} | OFTENER


def _kept_secret(file: Path) -> str:
    """Return the key that belongs to this folder's data; the first call makes it."""
    if file.exists():
        return file.read_text().strip()
    fresh = file.with_name(f".{file.name}.new")
    fresh.touch(mode=0o600)
    fresh.write_text(secrets.token_urlsafe(48) + "\n")
    fresh.replace(file)  # a kill leaves the whole key or none
    return file.read_text().strip()


def start_logging(file: Path) -> None:
    """Everything from info goes to the file, warnings to the console too."""
    to_file = RotatingFileHandler(file, maxBytes=5_000_000, backupCount=2, encoding="utf-8")
    to_file.setFormatter(_WithFacts("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    to_console = logging.StreamHandler()
    to_console.setLevel(logging.WARNING)
    to_console.setFormatter(_WithFacts("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[to_file, to_console])


class _WithFacts(logging.Formatter):
    """Adds what a record carries in `extra`."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 -- the library's name
        facts = {name: value for name, value in vars(record).items() if name not in _BUILT_IN}
        return " ".join([super().formatMessage(record), *(f"{name}={value}" for name, value in facts.items())])
