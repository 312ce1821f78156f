"""How an errand to the ticketing system goes on: how long its claim lasts, and when it is tried again. Pure."""

from datetime import timedelta

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=1)
# A worker that died may have sent its request in the last minutes of its life, and the other side works on one for
# five minutes; the platform ends a worker after ten.
CLAIM = timedelta(minutes=20)
SETTLES_IN = timedelta(minutes=6)  # what the other side was asked for is done by then, or never
MOST_ODD_ANSWERS = 5  # then somebody has to look
MOST_LOST = 2  # sent again once; were it never to be seen, each further time could make one more
LOST = (
    "It was sent twice, no answer came, and it is not to be found. It may have been made all the same: look there "
    "before you have it sent again."
)
BROKE_OFF = "The app itself broke off; its log says why."


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts that failed for now: twice as long each time, up to an hour."""
    factor: int = 2 ** min(max(attempts - 1, 0), 10)
    return min(FIRST_PAUSE * factor, LONGEST_PAUSE)
