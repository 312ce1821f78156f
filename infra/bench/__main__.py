"""`python -m infra.bench [--json]`: run all benchmarks and print their figures."""

import json
import sys

from infra.bench.imports import bench_import
from infra.bench.parse import bench_parse


def main(arguments: list[str]) -> int:
    figures = bench_parse() | bench_import()
    if "--json" in arguments:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:>40}  {value:>10}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
