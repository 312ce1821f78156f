"""What the panel and the page of a run say beside the stored facts."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup
from sqlalchemy.orm import Session

from functions.http_api.deps import CurrentUser
from functions.http_api.formats import plural, short_time, ui_zone, when
from functions.http_api.jobs.slots import in_words
from functions.http_api.runs.chips import Chip, chips
from functions.http_api.slot_words import due, missed
from shared.domain.permissions import Right
from shared.domain.run import MatchedBy
from shared.domain.status import Status
from shared.queries.alerts import NO_ALERTS, Alerts, alerts_of_run
from shared.queries.incidents import OverTicket, other_causes, still_failing
from shared.queries.job_strip import StripDay, job_strip
from shared.queries.objects import GOOD
from shared.queries.run_panel import RunPanel
from shared.queries.runs_beside import RunInList
from shared.queries.schedule_in_short import ShortSchedule, schedule_in_short
from shared.services.review_runs import UNDO_WINDOW

STRIP_DAYS = 30
OBJECT_WORDS = {Status.FAILED: "failed", Status.WARNING: "with a warning"}
MATCH_WORDS = {
    MatchedBy.ORIGIN: "name and origin",
    MatchedBy.NAME: "name; the mail states no origin",
    MatchedBy.PERSON: "a person, in the Inbox",
}
# One click each; other words can be typed.
REASONS = ("Known, being worked on", "Fixed, next run will show", "Not needed any more", "One-off, no action")


@dataclass(frozen=True, kw_only=True, slots=True)
class RunView:
    """A run with its sentence, its job's schedule and last 30 days, and what this user may do with it."""

    run: RunPanel
    said: tuple[str, ...]
    matched: str
    chips: tuple[Chip, ...]
    schedule: ShortSchedule | None
    slots_in_words: str
    strip: tuple[StripDay, ...]
    alerts: Alerts
    other_causes: tuple[int, ...]  # tickets that were made for another error than the run's
    still_fails_after: OverTicket | None
    may_review: bool
    may_undo: bool
    may_ticket: bool
    may_mark: bool

    @property
    def to_review(self) -> tuple[RunInList, ...]:
        return self.run.to_review if self.may_review else ()

    @property
    def reasons(self) -> tuple[str, ...]:
        return REASONS if self.needs_reason else ()

    @property
    def pairs(self) -> str:
        """The runs to review as a form carries them: `12:1,13:1`."""
        return ",".join(f"{run.run_id}:{run.verdict_version}" for run in self.to_review)

    @property
    def this_pair(self) -> str:
        return f"{self.run.run_id}:{self.run.verdict_version}"

    @property
    def needs_reason(self) -> bool:
        return any(run.needs_reason for run in self.to_review)

    @property
    def this_waits(self) -> bool:
        return any(run.run_id == self.run.run_id for run in self.to_review)

    @property
    def this_needs_reason(self) -> bool:
        return any(run.run_id == self.run.run_id and run.needs_reason for run in self.to_review)


def run_view(db: Session, run: RunPanel, *, user: CurrentUser, now: datetime) -> RunView:
    """Return what to show of `run` to `user`."""
    zone = ZoneInfo(run.time_zone) if run.time_zone else ui_zone()
    schedule = schedule_in_short(db, run.job_id, now=now)
    return RunView(
        run=run,
        said=(*_when_due(run, schedule, now), *_sentence(run, now)),
        matched=MATCH_WORDS[run.matched_by] if run.matched_by else "",
        chips=tuple(chips(run.runs, now, shown=run.run_id)),
        schedule=schedule,
        slots_in_words=in_words(schedule.slots) if schedule else "",
        strip=tuple(job_strip(db, run.job_id, now.astimezone(zone).date(), zone, days=STRIP_DAYS)),
        alerts=alerts_of_run(db, run.run_id, ui_zone()) or NO_ALERTS,
        other_causes=other_causes(db, [run.run_id]).get(run.run_id, ()),
        still_fails_after=_still_fails_after(db, run),
        may_review=user.may(Right.REVIEW_RUNS),
        may_undo=_may_undo(run, user, now),
        may_ticket=user.may(Right.EDIT_TICKETS),
        may_mark=user.may(Right.MARK_AS_SUCCESS) and any(each.can_be_marked for each in run.to_review),
    )


def _when_due(run: RunPanel, schedule: ShortSchedule | None, now: datetime) -> list[str]:
    said = []
    if run.slot is not None:
        words = due(run.slot, schedule.description if schedule else "", now)
        said.append(f"late, {words}" if run.is_late else words)
    elif run.is_late:
        said.append("late")
    if run.answers is not None:
        by = f"reviewed by {run.answers.reviewed_by}" if run.answers.reviewed_by else "to review again"
        said.append(f"answers the missed run of {short_time(run.answers.slot_at, now)}, which was {by}")
    if run.missed is not None:
        said.append(missed(run.missed, now))
    return said


def _sentence(run: RunPanel, now: datetime) -> list[str]:
    said = [f"the verdict itself is {run.status.value}"] if run.override else []
    if run.is_history:
        said.append("history, from before the go-live date: nobody needs to review it")
    if run.recovered_on is not None and run.message != (recovered := f"recovered on retry {run.recovered_on}"):
        said.append(recovered)
    if run.status is Status.UNREADABLE:
        said.append("the mail came, but its verdict could not be read")
    if run.objects.problem_count:
        said.append(_object_words(run))
    if run.findings.open:
        said.append(f"{plural(run.findings.open, 'object')} no longer in the report")
    if run.raw_status is not run.status:
        said.append(f"the {'mails themselves' if run.attempts else 'mail itself'} said {run.raw_status.value}")
    if run.same_error_at is not None:
        said.append(Markup("same error as {}").format(_day_word(run.same_error_at, now)))
    if run.status not in GOOD:
        said.append(
            Markup("last good {}").format(when(run.last_good_at, now)) if run.last_good_at else "never good yet"
        )
    return said


def _object_words(run: RunPanel) -> str:
    counts = run.objects.problem_counts
    (first, count), *others = sorted(counts.items(), key=lambda item: item[0] is not Status.FAILED)
    words = f"{count:,} of {plural(run.objects.total, 'object')} {OBJECT_WORDS.get(first, first.value)}"
    return ", ".join([words, *(f"{count:,} {OBJECT_WORDS.get(status, status.value)}" for status, count in others)])


def _day_word(moment: datetime, now: datetime) -> str:
    day, today = (each.astimezone(ui_zone()).date() for each in (moment, now))
    return "yesterday" if day == today - timedelta(days=1) else when(moment, now)


def _still_fails_after(db: Session, run: RunPanel) -> OverTicket | None:
    """Return the ticket that was resolved before this run and after which the job was not good yet."""
    over = still_failing(db, [run.job_id]).get(run.job_id)
    return over if over is not None and run.status not in GOOD and over.resolved_at < run.run_at else None


def _may_undo(run: RunPanel, user: CurrentUser, now: datetime) -> bool:
    if run.review is None:
        return False
    if user.may(Right.UNDO_ANY_REVIEW):
        return True
    own = run.review.user_id == user.id and now - run.review.at <= UNDO_WINDOW
    return own and user.may(Right.UNDO_OWN_REVIEW)
