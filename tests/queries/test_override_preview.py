"""A preview changes nothing and tells exactly what would change."""

from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from shared.domain.status import Status
from shared.domain.typed_override import Draft, TypedOverride, read_override
from shared.models.overrides import Override
from shared.queries import override_preview
from shared.queries.override_preview import Preview, preview_override
from shared.services.record_run import record_missed_run
from tests.builders import NIGHT, count_of, make_job, make_run, make_user, nights
from tests.override_builders import DISK, ZONE, make_override, make_told_run

WARNING, FAILED = Status.WARNING, Status.FAILED
NOW = NIGHT + timedelta(days=8)


def draft(job_id: int | None = None, **typed: object) -> Draft:
    level = "object" if job_id else "global"
    stated = {"level": level, "job_id": str(job_id or ""), "text": DISK, "ends_on": "2026-05-01", "reason": "known"}
    return read_override(TypedOverride(**{**stated, **typed}), now=NOW, zone=ZONE)


def preview(db: Session, job_id: int | None = None, **typed: object) -> Preview:
    return preview_override(db, draft(job_id, **typed), now=NOW)


def test_the_preview_says_what_saving_for_what_came_before_does(db: Session) -> None:
    job_id, other = make_job(db, "One"), make_job(db, "Other")
    for at in nights(3):
        make_told_run(db, job_id, run_at=at)
    make_told_run(db, job_id, {"SQL01": (FAILED, DISK)}, run_at=nights(4)[3])
    make_told_run(db, job_id, {"SQL01": (WARNING, DISK), "DC01": (WARNING, "VSS")}, run_at=nights(5)[4])
    make_told_run(db, other)
    make_told_run(db, job_id, run_at=NOW - timedelta(days=91))

    shown = preview(db, failed=True)
    saved = make_override(db, make_user(db), now=NOW, failed=True, afterwards=True)

    assert (shown.runs, shown.failed, shown.jobs, shown.others) == (5, 1, 2, 1)
    assert list(shown.counts.items()) == [(FAILED, 1), (WARNING, 4)]
    assert saved.runs == shown.runs
    assert [run.run_at for run in shown.first] == sorted((run.run_at for run in shown.first), reverse=True)
    assert preview(db, failed=True).runs == 0


def test_it_stores_nothing(db: Session) -> None:
    run = make_told_run(db, make_job(db))

    preview(db)

    assert (count_of(db, Override), run.override_id) == (0, None)


@pytest.mark.parametrize(
    "said, wanted",
    [
        ("Ｄｉｓｋ　almost  FULL", "disk almost full"),
        ("Straße 7 is blocked", "STRASSE 7"),
        ("the ﬁle is locked", "file is locked"),
        ("磁盘已满", "磁盘已满"),
        ("100 % used", "% used"),
    ],
)
def test_it_finds_what_the_override_will_find_however_it_is_written(db: Session, said: str, wanted: str) -> None:
    job_id = make_job(db)
    make_told_run(db, job_id, {"SQL01": (WARNING, said)})
    make_told_run(db, job_id, {}, says=said, status=WARNING, run_at=NIGHT + timedelta(days=1))

    shown = preview(db, text=wanted)

    assert shown.runs == make_override(db, make_user(db), now=NOW, text=wanted, afterwards=True).runs == 2


def test_it_tells_what_saving_does_where_the_mail_says_more_than_its_object(db: Session) -> None:
    job_id = make_job(db)
    for number, says in enumerate(("", "Job finished with warnings", "2 of 5 VMs processed")):
        make_told_run(db, job_id, says=says, run_at=NIGHT + timedelta(days=number))
    actor = make_user(db)

    of_object = preview(db, job_id, object_name="SQL01", text="")
    saved = make_override(db, actor, now=NOW, job_id=job_id, object_name="SQL01", text="", afterwards=True)
    of_words = preview(db, job_id, text="VMs processed")
    more = make_override(db, actor, now=NOW, job_id=job_id, text="VMs processed", afterwards=True)

    assert (of_object.runs, of_object.others, of_words.runs) == (2, 1, 1)
    assert (saved.runs, more.runs) == (2, 1)


def test_it_looks_at_what_never_came_vanished_or_was_tried_again(db: Session) -> None:
    missed, vanished, retried = (make_job(db, name) for name in ("Missed", "Vanished", "Retried"))
    record_missed_run(db, missed, slot_at=NIGHT, message="no report came")
    *five, sixth = nights(6)
    for at in five:
        make_run(db, vanished, run_at=at, objects=("A", "B"), complete=True)
    make_run(db, vanished, run_at=sixth, objects=("A",), complete=True)
    make_told_run(db, retried, {"SQL01": (FAILED, "no connection")})
    make_told_run(db, retried, {"SQL01": (WARNING, DISK)}, run_at=NIGHT + timedelta(minutes=9))

    assert preview(db, missed, text="no report", missed=True).runs == 1
    assert preview(db, vanished, text="no longer in the report").runs == 1
    assert preview(db, retried).runs == 1


def test_of_a_great_many_only_the_newest_are_looked_at(db: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = make_job(db)
    for at in nights(4):
        make_told_run(db, job_id, run_at=at)
    monkeypatch.setattr(override_preview, "MOST_LOOKED_AT", 3)

    shown = preview(db)

    assert (shown.runs, shown.is_cut, shown.first[0].run_at) == (3, True, nights(4)[3])
