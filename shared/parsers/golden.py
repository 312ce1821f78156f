"""The samples beside the parsers, and their expected readings.

`python -m shared.parsers.golden [--force] [VENDOR …]` writes the expected JSON of samples that have none;
with `--force` also of those that have. Read what it wrote with your own eyes: it says what the parser
does, not what it should do.
"""

import argparse
import json
import sys
from pathlib import Path

from shared.parsers.as_json import Json, outcome_json
from shared.parsers.eml import mail_from_eml
from shared.parsers.registry import read

_HERE = Path(__file__).parent


def sample_files(vendor: str = "*") -> list[Path]:
    """Return the `.eml` samples of a vendor, or of all."""
    return sorted(_HERE.glob(f"{vendor}/samples/*.eml"))


def actual(sample: Path) -> Json:
    """Return what the parsers make of a sample today."""
    return outcome_json(read(mail_from_eml(sample.read_bytes())))


def expected(sample: Path) -> Json:
    """Return what the sample's JSON says. Raise FileNotFoundError when there is none."""
    loaded: Json = json.loads(sample.with_suffix(".json").read_text(encoding="utf-8"))
    return loaded


def main(arguments: list[str]) -> int:
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--force", action="store_true", help="overwrite expected readings that exist")
    ask.add_argument("vendors", nargs="*", default=["*"])
    asked = ask.parse_args(arguments)
    for vendor in asked.vendors:
        for sample in sample_files(vendor):
            target = sample.with_suffix(".json")
            if asked.force or not target.exists():
                target.write_text(json.dumps(actual(sample), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
                print(target.relative_to(_HERE))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
