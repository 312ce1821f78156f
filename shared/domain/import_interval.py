"""When an import begins by itself."""

from datetime import datetime, timedelta

# Ticks come some seconds early or late; without this an interval of 15 minutes would now and then take 20.
SLACK = timedelta(seconds=30)


def is_import_due(*, enabled: bool, interval: timedelta, last_started_at: datetime | None, now: datetime) -> bool:
    """Tell whether a tick at `now` imports. A last start in the future is a clock that was put back: due."""
    if not enabled:
        return False
    if last_started_at is None or last_started_at > now:
        return True
    return now - last_started_at >= interval - SLACK
