"""The command line as a script meets it: arguments and stdin go in; words, JSON lines and a status come out."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
OF_OURS = ("DB_", "POSTGRES_", "APP_", "LOCAL_DIR", "MAIL_FOLDER")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """All of stdout, which has to be JSON, a value a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def is_one_sentence(self) -> bool:
        """Tell whether stderr says one thing in one line, and stdout nothing."""
        return not self.out and self.err.count("\n") == 1 and "Traceback" not in self.err


class Cli:
    """Runs commands under these settings, and none of whoever runs the tests."""

    def __init__(self, **settings: str) -> None:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(OF_OURS)}
        self.environment = inherited | settings

    def __call__(self, *arguments: object, stdin: str = "") -> Answer:
        done = subprocess.run(
            [sys.executable, "-m", "shared.cli", *(os.fspath(a) if isinstance(a, Path) else str(a) for a in arguments)],
            cwd=ROOT,
            env=self.environment,
            input=stdin,
            capture_output=True,
            check=False,
            encoding="utf-8",
        )
        return Answer(done.returncode, done.stdout, done.stderr)
