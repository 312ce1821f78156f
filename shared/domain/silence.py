"""How long a job may be silent when nobody knows when it runs. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise
from statistics import median

WITH_FEW_RUNS = timedelta(days=7)


def longest_silence(moments: Sequence[float], *, factor: int, least: int, most: int) -> timedelta:
    """Return the maximum silence after runs at `moments` (seconds, ascending): `factor` times the usual gap.

    Never less than `least` nor more than `most` days; with fewer than three runs there is no usual gap yet.
    """
    if len(moments) < 3:
        return WITH_FEW_RUNS
    usual = median(later - earlier for earlier, later in pairwise(moments))
    return min(max(timedelta(seconds=factor * usual), timedelta(days=least)), timedelta(days=most))
