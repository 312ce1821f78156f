"""The administrator's and scripts' door: `python -m shared.cli COMMAND …`.

With `--json` stdout carries only JSON lines. Exit status: 0 done, 1 the work failed, 2 wrong usage.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path


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
        _show(asked.json, {"file": name, **answer})
    return 1 if missing else 0


def _show(as_json: bool, answer: dict[str, object]) -> None:
    if as_json:
        print(json.dumps(answer, ensure_ascii=False))
        return
    print("\n".join(f"{key:>16}  {value}" for key, value in answer.items() if value not in (None, [], "")), end="\n\n")


def _arguments() -> argparse.ArgumentParser:
    ask = argparse.ArgumentParser(prog="python -m shared.cli", description=__doc__)
    commands = ask.add_subparsers(dest="command", required=True)
    parse = commands.add_parser("parse", help="read mails with today's parsers, no database")
    parse.add_argument("--json", action="store_true")
    parse.add_argument("files", nargs="+", metavar="FILE.eml")
    parse.set_defaults(run=_parse)
    return ask


def main(arguments: Sequence[str] | None = None) -> int:
    asked = _arguments().parse_args(arguments)
    status: int = asked.run(asked)
    return status


if __name__ == "__main__":
    sys.exit(main())
