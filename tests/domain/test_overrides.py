"""An override covers what it says and nothing else; a run counts as success only if all of it is covered."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as some

from shared.domain.names import fold
from shared.domain.override_words import MatchMode, OverrideLevel
from shared.domain.overrides import GOOD, NEVER_CAME, TO_BE_CHOSEN, Problem, Rule, TroubledRun, covering, covers
from shared.domain.run_problems import absence_of, problems_of_run
from shared.domain.status import Status

AT = datetime(2026, 3, 3, 6, 0, tzinfo=UTC)
RULE = Rule(
    override_id=1,
    level=OverrideLevel.OBJECT,
    job_id=7,
    object_name=None,
    software=None,
    backup_type=None,
    status=None,
    mode=MatchMode.CONTAINS,
    text="disk almost full",
    covers=frozenset(),
    starts_at=AT - timedelta(days=1),
    ends_at=AT + timedelta(days=89),
    created_at=AT,
)
EVERYTHING = TO_BE_CHOSEN
DISK = Problem(status=Status.WARNING, text="Warning: Disk almost full (4 %)", object_name="SQL01")
OTHER = Problem(status=Status.WARNING, text="VSS writer timed out", object_name="DC01")


def run(*problems: Problem, job_id: int = 7, at: datetime = AT) -> TroubledRun:
    return TroubledRun(
        run_id=1,
        job_id=job_id,
        software="Veeam",
        backup_type="Backup job",
        at=at,
        status=Status.WARNING,
        problems=problems,
    )


def shown(run: TroubledRun, *rules: Rule) -> int | None:
    cover = covering(run, rules)
    return cover.shown.override_id if cover else None


@pytest.mark.parametrize(
    "mode, wanted, expected",
    [
        (MatchMode.CONTAINS, "DISK  almost\nfull", True),
        (MatchMode.CONTAINS, "ﬁsk", False),
        (MatchMode.EXACT, "warning: disk almost full (4 %)", True),
        (MatchMode.EXACT, "disk almost full", False),
        (MatchMode.STARTS_WITH, "Warning: disk", True),
        (MatchMode.STARTS_WITH, "disk", False),
        (MatchMode.ENDS_WITH, "(4 %)", True),
        (MatchMode.ENDS_WITH, "full", False),
    ],
)
def test_a_text_is_looked_for_whatever_its_case_and_spaces(mode: MatchMode, wanted: str, *, expected: bool) -> None:
    assert covers(replace(RULE, mode=mode, text=wanted), DISK) is expected


@pytest.mark.parametrize("status", sorted(TO_BE_CHOSEN))
def test_what_failed_never_came_or_could_not_be_read_is_covered_only_where_that_was_chosen(status: Status) -> None:
    problem = replace(DISK, status=status)

    assert not covers(RULE, problem)
    assert not covers(replace(RULE, covers=TO_BE_CHOSEN - {status}), problem)
    assert not covers(replace(RULE, status=status), problem)
    assert covers(replace(RULE, covers=frozenset({status})), problem)


def test_a_rule_of_one_status_leaves_the_others() -> None:
    rule = replace(RULE, status=Status.FAILED, covers=EVERYTHING)

    assert covers(rule, replace(DISK, status=Status.FAILED))
    assert not covers(rule, DISK)


def test_a_named_object_is_that_object_alone_and_never_the_run_itself() -> None:
    rule = replace(RULE, object_name="sql01", text="")

    assert covers(rule, DISK)
    assert not covers(rule, replace(DISK, object_name="SQL010"))
    assert not covers(rule, replace(DISK, object_name=None))


def test_an_object_that_is_missing_from_the_report_is_covered_by_a_text_that_says_so_only() -> None:
    gone = absence_of("SQL01")

    assert not covers(replace(RULE, object_name="SQL01", text=""), gone)
    assert not covers(replace(RULE, text="", covers=EVERYTHING), gone)
    assert covers(replace(RULE, object_name="SQL01", text="No longer in the report"), gone)


def test_a_global_rule_without_a_text_covers_nothing() -> None:
    rule = replace(RULE, level=OverrideLevel.GLOBAL, job_id=None, text=" \n", covers=EVERYTHING)

    assert not covers(rule, DISK)


def test_a_run_is_covered_when_each_of_its_problems_is_by_whichever_rule() -> None:
    vss = replace(RULE, override_id=2, text="VSS writer")

    assert shown(run(DISK), RULE) == 1
    assert shown(run(DISK, OTHER), RULE) is None
    assert covering(run(DISK, OTHER), [RULE, vss]) == covering(run(OTHER, DISK), [vss, RULE])
    assert {rule.override_id for rule in covering(run(DISK, OTHER), [RULE, vss]).rules} == {1, 2}


def test_a_run_shows_the_override_of_its_worst_problem() -> None:
    failure = replace(RULE, override_id=2, text="VSS", covers=frozenset({Status.FAILED}))

    assert shown(run(DISK, replace(OTHER, status=Status.FAILED)), RULE, failure) == 2


def test_of_several_rules_that_of_the_job_comes_first_then_the_most_specific_then_the_newest() -> None:
    everywhere = replace(
        RULE, override_id=1, level=OverrideLevel.GLOBAL, job_id=None, mode=MatchMode.EXACT, text=DISK.text
    )
    of_job = replace(RULE, override_id=2, text="")
    with_text = replace(RULE, override_id=3)
    newer = replace(RULE, override_id=4, created_at=AT + timedelta(hours=1))
    of_object = replace(RULE, override_id=5, object_name="SQL01", text="")
    ladder = [everywhere, of_job, with_text, newer, of_object]

    assert [shown(run(DISK), *ladder[: number + 1]) for number in range(len(ladder))] == [1, 2, 3, 4, 5]


def test_a_rule_is_about_its_job_its_product_and_its_time() -> None:
    everywhere = replace(RULE, level=OverrideLevel.GLOBAL, job_id=None, software="Veeam", backup_type="Backup job")

    assert shown(run(DISK, job_id=8), RULE) is None
    assert shown(run(DISK, job_id=8), everywhere) == 1
    assert shown(run(DISK), replace(everywhere, software="Kopia")) is None
    assert shown(run(DISK), replace(everywhere, backup_type="Backup copy")) is None
    assert shown(run(DISK, at=RULE.starts_at - timedelta(seconds=1)), RULE) is None
    assert shown(run(DISK, at=RULE.starts_at), RULE) == 1
    assert shown(run(DISK, at=RULE.ends_at), RULE) is None


def test_one_of_a_single_run_is_about_no_other() -> None:
    assert shown(run(DISK), replace(RULE, level=OverrideLevel.RUN, text="")) is None


def test_a_run_without_a_known_problem_is_covered_by_nothing() -> None:
    assert shown(run(), replace(RULE, text="", covers=EVERYTHING)) is None


@pytest.mark.parametrize("status", sorted(set(Status) - GOOD))
def test_a_run_that_is_not_good_has_a_problem_that_is_as_bad(status: Status) -> None:
    unexplained = problems_of_run(status, "what the mail says", [])
    explained = problems_of_run(status, DISK.text, [replace(DISK, status=status)])

    assert unexplained == (Problem(status=status, text="what the mail says"),)
    assert explained == (replace(DISK, status=status),)


def test_a_failure_that_its_objects_do_not_explain_is_a_problem_of_its_own() -> None:
    found = problems_of_run(Status.FAILED, "the job was stopped", [DISK])

    assert found == (DISK, Problem(status=Status.FAILED, text="the job was stopped"))


def test_what_the_mail_says_beside_a_covered_object_is_left() -> None:
    rule = replace(RULE, object_name="SQL01", text="")

    alone = problems_of_run(Status.WARNING, "Job finished with 1 warning", [DISK])
    beside = problems_of_run(Status.WARNING, "2 of 5 VMs processed", [DISK])

    assert shown(run(*alone), rule) == 1
    assert beside == (DISK, Problem(status=Status.WARNING, text="2 of 5 VMs processed"))
    assert shown(run(*beside), rule) is None
    assert shown(run(*beside), rule, replace(RULE, override_id=2, text="VMs processed")) is not None


WORDS = some.lists(some.sampled_from(["disk", "DISK", "full", "VSS", "ß", "SS", " ", "\u00a0", "ﬁ", "4 %"]), max_size=4)
TEXTS = WORDS.map(" ".join)
NAMES = some.sampled_from([None, "SQL01", "sql01", "DC01"])
TROUBLE = some.sampled_from(sorted(set(Status) - GOOD))
PROBLEMS = some.builds(Problem, status=TROUBLE, text=TEXTS, object_name=NAMES, is_absence=some.booleans())
RULES = some.builds(
    Rule,
    override_id=some.integers(1, 10_000),
    level=some.sampled_from([OverrideLevel.GLOBAL, OverrideLevel.OBJECT]),
    job_id=some.just(7),
    object_name=NAMES,
    software=some.sampled_from([None, "Veeam"]),
    backup_type=some.none(),
    status=some.one_of(some.none(), TROUBLE),
    mode=some.sampled_from(MatchMode),
    text=TEXTS,
    covers=some.frozensets(some.sampled_from(sorted(TO_BE_CHOSEN))),
    starts_at=some.just(RULE.starts_at),
    ends_at=some.just(RULE.ends_at),
    created_at=some.sampled_from([AT, AT + timedelta(days=1)]),
)
MANY_RULES = some.lists(RULES, max_size=6, unique_by=lambda rule: rule.override_id)


@given(RULES, PROBLEMS)
def test_no_rule_covers_more_than_it_says(rule: Rule, problem: Problem) -> None:
    if not covers(rule, problem):
        return

    assert fold(rule.text) in fold(problem.text)
    assert rule.status in (None, problem.status)
    assert rule.object_name is None or fold(rule.object_name) == fold(problem.object_name or "")
    assert problem.status is Status.WARNING or problem.status in rule.covers
    assert fold(rule.text) or (rule.level is OverrideLevel.OBJECT and not problem.is_absence)


@given(some.lists(PROBLEMS, min_size=1, max_size=4), MANY_RULES, some.randoms())
def test_the_order_of_problems_and_rules_decides_nothing(problems, rules, random) -> None:
    expected = covering(run(*problems), rules)
    random.shuffle(problems)
    random.shuffle(rules)

    found = covering(run(*problems), rules)

    assert (found is None) == (expected is None)
    assert found is None or set(found.rules) == set(expected.rules)


@given(some.lists(PROBLEMS, min_size=1, max_size=4), MANY_RULES, PROBLEMS)
def test_an_uncovered_problem_uncovers_the_run_and_a_rule_more_never_does(problems, rules, more) -> None:
    without = covering(run(*problems), rules)
    with_it = covering(run(*problems, more), rules)
    alone = covering(run(more), rules)

    assert (with_it is not None) == (without is not None and alone is not None)
    assert covering(run(*problems), rules[:-1]) is None or without is not None


@given(some.lists(PROBLEMS, min_size=1, max_size=4), MANY_RULES)
def test_what_never_came_is_never_covered_by_rules_that_do_not_mean_it(problems, rules) -> None:
    blind = [replace(rule, covers=rule.covers - NEVER_CAME) for rule in rules]

    cover = covering(run(*problems), blind)

    assert cover is None or not {problem.status for problem in problems} & NEVER_CAME
