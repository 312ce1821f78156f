"""Which mail comes in when: the weeks of the demo world, the same for the same start."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from random import Random

from infra.local.demo.layouts import Layout, Night
from infra.local.demo.mails import ZONE, Names, Template, names_for, sample
from infra.local.demo.world import CUSTOMERS, NO_REPORT, WAITING, DemoCustomer, DemoJob, Waiting

TROUBLE = 0.05  # how often an ordinary night went wrong
MINUTES = 12  # how far the mails of one job spread


@dataclass(frozen=True, kw_only=True, slots=True)
class Post:
    """One mail as a file. `customer` owns the job that it begins, `job_name` is for mails that name none."""

    arrival: datetime
    name: str
    raw: bytes
    customer: str = ""
    job_name: str = ""


def posts(started_at: datetime, days: int) -> list[Post]:
    """Return all mails of the last `days` days before `started_at`, in order."""
    found = [
        post for customer in CUSTOMERS for job in customer.jobs for post in _of_job(customer, job, started_at, days)
    ]
    found += [_waiting(each, started_at) for each in WAITING]
    found.append(_no_report(started_at))
    return sorted(found, key=lambda post: post.arrival)


def _of_job(customer: DemoCustomer, job: DemoJob, started_at: datetime, days: int) -> Iterator[Post]:
    key = f"{customer.short}{customer.jobs.index(job)}".lower()
    names = names_of(customer, job)
    chance = Random(key)  # noqa: S311 -- the same world each time
    arrivals = _arrivals(job, started_at, days, chance)
    for place, arrival in enumerate(arrivals):
        how = job.last if place == len(arrivals) - 1 else _ordinary_night(job.layout, chance)
        night = Night.GOOD if place == 0 else how  # a job is known by a good mail
        raw = _template(job.layout.sample_for(night), names).eml(arrival, f"{arrival:%Y%m%d}.{key}")
        owner = {} if place else {"customer": customer.name, "job_name": job.name}
        yield Post(arrival=arrival, name=_file_name(arrival, key), raw=raw, **owner)


def _arrivals(job: DemoJob, started_at: datetime, days: int, chance: Random) -> list[datetime]:
    """Return when the job's mails came in, oldest first; always about the hour of the sample."""
    newest = started_at - timedelta(days=job.silent, minutes=MINUTES)
    usual = [moment for moment in _usual(job.layout, newest, days) if moment.astimezone(ZONE).weekday() in job.on]
    return sorted(moment + timedelta(seconds=chance.randrange(MINUTES * 60)) for moment in usual[:: job.every])


def _usual(layout: Layout, newest: datetime, days: int) -> list[datetime]:
    """Return the sample's hour on the days until `newest`, the last one first."""
    hour = sample(layout.sample_for(Night.GOOD)).sent_at.time()
    today = newest.astimezone(ZONE).date()
    moments = [datetime.combine(today - timedelta(days=ago), hour, ZONE).astimezone(UTC) for ago in range(days)]
    return [moment for moment in moments if moment <= newest]


def _ordinary_night(layout: Layout, chance: Random) -> Night:
    if chance.random() >= TROUBLE:
        return Night.GOOD
    return chance.choice([night for night in Night if layout.has(night)])


def names_of(customer: DemoCustomer, job: DemoJob) -> Names:
    return names_for(
        sample(job.layout.sample_for(Night.GOOD)),
        company=customer.company,
        short=customer.short,
        domain=job.sender or customer.domain,
        job=job.name,
        host=job.host,
    )


@cache
def _template(sample_name: str, names: Names) -> Template:
    return Template(sample(sample_name), names)


def _waiting(each: Waiting, started_at: datetime) -> Post:
    source = sample(each.layout.sample_for(each.night))
    company = each.domain.partition(".")[0]
    names = names_for(source, company=company, short=each.short, domain=each.domain, job=each.name, host=each.host)
    arrival = _usual(each.layout, started_at - timedelta(days=each.days_ago), days=2)[0]
    raw = Template(source, names).eml(arrival, f"{arrival:%Y%m%d}.{each.short.lower()}w")
    return Post(arrival=arrival, name=_file_name(arrival, each.short.lower()), raw=raw)


def _no_report(started_at: datetime) -> Post:
    arrival = started_at - timedelta(hours=3)
    raw = NO_REPORT.format(date=format_datetime(arrival.astimezone(ZONE))).encode()
    return Post(arrival=arrival, name=_file_name(arrival, "ups"), raw=raw)


def _file_name(arrival: datetime, key: str) -> str:
    return f"{arrival:%Y-%m-%dT%H%M%S}-{key}.eml"
