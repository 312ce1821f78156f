"""A ticket says what is wrong, in the words of the administrator's template and not a word longer than fits."""

from shared.domain.status import Status
from shared.domain.ticket_text import (
    LONGEST_DETAILS,
    PLACEHOLDERS,
    JobTrouble,
    TicketFacts,
    description_of,
    title_of,
    unknown_names,
)


def trouble(job: str = "Nightly", **rest: object) -> JobTrouble:
    facts = {"software": "Veeam", "backup_type": "Backup job", "status": Status.FAILED, "time": "2 March 2026, 22:00"}
    return JobTrouble(job=job, **(facts | rest))


def about(*jobs: JobTrouble, link: str = "https://backups.example/jobs/7") -> TicketFacts:
    return TicketFacts(customer="Aspen Dental", jobs=jobs or (trouble(),), link=link)


def test_without_a_template_the_title_says_whose_what_and_how() -> None:
    assert title_of(about()) == "Backup failed: Aspen Dental – Nightly"
    assert title_of(about(trouble(), trouble("Weekly"), trouble("Copy"))) == (
        "Backup failed: Aspen Dental – Nightly and 2 more"
    )


def test_without_a_template_the_description_tells_each_job_and_where_to_look() -> None:
    facts = about(
        trouble(message="disk full", objects=("SRV-01: failed, disk full", "SRV-02: warning")),
        trouble("Weekly", status=Status.MISSED),
    )

    assert description_of(facts) == (
        "Nightly (Veeam, Backup job)\n"
        "failed, 2 March 2026, 22:00\n"
        "disk full\n"
        "- SRV-01: failed, disk full\n"
        "- SRV-02: warning\n"
        "\n"
        "Weekly (Veeam, Backup job)\n"
        "missed, 2 March 2026, 22:00\n"
        "\n"
        "https://backups.example/jobs/7"
    )


def test_what_is_unknown_leaves_no_gap() -> None:
    assert description_of(about(link=""), "{message}\n\n\n{objects}\n\n{job}\n\n{link}") == "Nightly"


def test_every_placeholder_is_filled() -> None:
    facts = about(trouble(message="disk full", objects=("SRV-01: failed",)))
    template = " ".join(f"{{{name}}}" for name in PLACEHOLDERS)

    assert "{" not in description_of(facts, template)


def test_a_template_runs_nothing_and_keeps_what_it_does_not_know() -> None:
    template = "{customer.__class__} {0} {{job}} {colour} %s {job!r}"

    assert title_of(about(), template) == "{customer.__class__} {0} {Nightly} {colour} %s {job!r}"
    assert unknown_names("{job} {colour} {job} {size}") == ["colour", "size"]


def test_braces_in_what_a_mail_says_are_not_looked_at_again() -> None:
    assert title_of(about(trouble(job="{customer}")), "{job}") == "{customer}"


def test_a_title_is_one_line() -> None:
    assert title_of(about(trouble(job="Night\nly")), "{job}\n{status}") == "Night ly failed"


def test_many_jobs_and_objects_are_counted_where_there_is_no_room() -> None:
    objects = tuple(f"VM-{number:03}: failed, {'x' * 500}" for number in range(30))
    facts = about(*(trouble(f"Job {number}", objects=objects) for number in range(12)))

    text = description_of(facts)

    assert "and 10 more\n" in text
    assert "and 11 more jobs" in text
    assert text.endswith("https://backups.example/jobs/7")
    assert len(text) < LONGEST_DETAILS + 200
