"""What the rows of Run Checks say, in sentences."""

from datetime import datetime

from functions.http_api.formats import plural, short_time
from functions.http_api.slot_words import missed
from shared.domain.status import Status
from shared.queries.cause_rows import CauseRow
from shared.queries.run_checks_rows import JobRow
from shared.queries.silence_rows import Silence, SilenceRow


def reason(row: JobRow, now: datetime) -> str:
    """Return why the job is in the list: of its worst run, then since when nothing comes, then what nobody knows."""
    recovered = f"recovered on retry {row.recovered_on}" if row.recovered_on else ""
    message = row.message if row.worst is not Status.MISSED else ""
    late = "came late" if any(counted.late for counted in row.counts) else ""
    said = [words for words in dict.fromkeys((recovered, message, late)) if words]
    if row.missed is not None:
        said.append(missed(row.missed, now))
    if row.held.count:
        said.append(f"{row.held.count:,} not judged: {row.held.why}")
    return " · ".join(said)


def jobs_of(row: CauseRow) -> str:
    """Return whose jobs a cause has: "14 jobs of 5 customers"."""
    whose = row.customers[0] if len(row.customers) == 1 else plural(len(row.customers), "customer")
    return f"{plural(len(row.members), 'job')} of {whose}"


def cause_words(row: CauseRow) -> str:
    """Return why these jobs are bad, and how many runs go with them that are good or have another reason."""
    others = f" · and {plural(row.other_runs, 'other run')}" if row.other_runs else ""
    return f"{row.words}{others}"


def silent_name(silence: Silence) -> str:
    return silence.from_address or silence.customer or "nobody any more"


def silence_words(row: SilenceRow, now: datetime) -> str:
    """Return which jobs are silent: "12 jobs of 4 customers missed since Mon 22:00"."""
    silence = row.silence
    jobs = f"{len(row.members):,} of {plural(silence.jobs_watched, 'job')}" if silence.customer else _of_customers(row)
    if silence.ended_at is not None:
        began, ended = short_time(silence.began_at, now), short_time(silence.ended_at, now)
        return f"{jobs} missed since {began}; came again {ended}"
    return f"{jobs} missed since {short_time(silence.began_at, now)}"


def _of_customers(row: SilenceRow) -> str:
    return f"{plural(len(row.members), 'job')} of {plural(row.customers, 'customer')}"
