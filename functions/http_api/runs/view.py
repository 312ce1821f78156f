"""What the panel and the page of a run say beside the stored facts."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup
from sqlalchemy.orm import Session

from functions.http_api.deps import CurrentUser
from functions.http_api.formats import plural, ui_zone, when
from shared.domain.permissions import Right
from shared.domain.run import MatchedBy
from shared.domain.status import NEEDS_REASON, Status
from shared.queries.job_detail import HistoryDay, job_history
from shared.queries.objects import GOOD
from shared.queries.run_panel import RunInList, RunPanel
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
    """A run with its sentence, its job's last 30 days, and what this user may do with it."""

    run: RunPanel
    said: tuple[str, ...]
    matched: str
    strip: tuple[HistoryDay, ...]
    strip_words: str
    may_review: bool
    may_undo: bool

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
    def needs_reason(self) -> bool:
        return any(run.status in NEEDS_REASON for run in self.to_review)

    @property
    def this_waits(self) -> bool:
        return any(run.run_id == self.run.run_id for run in self.to_review)

    @property
    def this_needs_reason(self) -> bool:
        return self.run.status in NEEDS_REASON


def run_view(db: Session, run: RunPanel, *, user: CurrentUser, now: datetime) -> RunView:
    """Return what to show of `run` to `user`."""
    today = now.astimezone(ui_zone()).date()
    strip = tuple(job_history(db, run.job_id, today, ui_zone(), STRIP_DAYS))
    return RunView(
        run=run,
        said=tuple(_sentence(run, now)),
        matched=MATCH_WORDS[run.matched_by] if run.matched_by else "",
        strip=strip,
        strip_words=_strip_words(strip),
        may_review=user.may(Right.REVIEW_RUNS),
        may_undo=_may_undo(run, user, now),
    )


def _sentence(run: RunPanel, now: datetime) -> list[str]:
    said = []
    if run.status is Status.UNREADABLE:
        said.append("the mail came, but its verdict could not be read")
    if run.objects.problem_count:
        said.append(_object_words(run))
    if run.findings.open:
        said.append(f"{plural(run.findings.open, 'object')} no longer in the report")
    if run.raw_status is not run.status:
        said.append(f"the mail itself said {run.raw_status.value}")
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


def _strip_words(strip: tuple[HistoryDay, ...]) -> str:
    counts = Counter(day.status for day in strip)
    silent = counts.pop(None, 0)
    words = [f"{plural(count, 'day')} {status.value}" for status, count in counts.items() if status]
    return f"Last {len(strip)} days: " + ", ".join([*words, f"{plural(silent, 'day')} without a run"])


def _may_undo(run: RunPanel, user: CurrentUser, now: datetime) -> bool:
    if run.review is None:
        return False
    if user.may(Right.UNDO_ANY_REVIEW):
        return True
    own = run.review.user_id == user.id and now - run.review.at <= UNDO_WINDOW
    return own and user.may(Right.UNDO_OWN_REVIEW)
