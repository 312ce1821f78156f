"""`python -m infra.bench [--json] [--full]`: run all benchmarks and print their figures.

`--full` learns and judges as many jobs as are promised, which takes about ten minutes.
"""

import json
import sys

from infra.bench.imports import bench_import
from infra.bench.parse import bench_parse
from infra.bench.schedules import ALL_JOBS, JOBS, bench_schedules


def main(arguments: list[str]) -> int:
    figures = bench_parse() | bench_import() | bench_schedules(ALL_JOBS if "--full" in arguments else JOBS)
    if "--json" in arguments:
        print(json.dumps(figures))
    else:
        print("\n".join(f"{name:>40}  {value:>10}" for name, value in figures.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
