"""What must hold in the database after any sequence of operations."""

from sqlalchemy import text
from sqlalchemy.orm import Session

_BROKEN = {
    "a mail without a reading": """
        SELECT m.id FROM mail_messages m
        WHERE NOT EXISTS (SELECT FROM mail_readings r WHERE r.mail_id = m.id)""",
    "readings of a mail that aren't numbered from 0": """
        SELECT mail_id FROM mail_readings GROUP BY mail_id
        HAVING min(number) <> 0 OR max(number) <> count(*) - 1""",
    "a run whose reading says otherwise": """
        SELECT x.id FROM job_runs x JOIN mail_readings r ON r.id = x.reading_id
        WHERE r.outcome <> 'run' OR r.job_id IS DISTINCT FROM x.job_id""",
    "a mail run without a reading": """
        SELECT id FROM job_runs WHERE source = 'mail' AND reading_id IS NULL""",
    "a reading that ended as a run of a job but has none": """
        SELECT r.id FROM mail_readings r
        WHERE r.outcome = 'run' AND r.job_id IS NOT NULL
          AND NOT EXISTS (SELECT FROM job_runs x WHERE x.reading_id = r.id)""",
    "an inbox mail of which nothing waits": """
        SELECT m.id FROM mail_messages m
        WHERE m.location = 'inbox'
          AND NOT EXISTS (SELECT FROM mail_readings r WHERE r.mail_id = m.id AND r.outcome = 'inbox')""",
    "a waiting reading that nobody sees": """
        SELECT r.id FROM mail_readings r JOIN mail_messages m ON m.id = r.mail_id
        WHERE r.outcome = 'inbox' AND m.location <> 'inbox'""",
    "a settled reading that still says why it waits": """
        SELECT id FROM mail_readings WHERE (outcome = 'inbox') <> (inbox_reason IS NOT NULL)""",
    "a deleted mail that has a run": """
        SELECT m.id FROM mail_messages m
        JOIN mail_readings r ON r.mail_id = m.id JOIN job_runs x ON x.reading_id = r.id
        WHERE m.location = 'deleted'""",
    "a duplicate of nothing": """
        SELECT r.id FROM mail_readings r JOIN mail_messages m ON m.id = r.mail_id
        WHERE r.outcome = 'duplicate' AND m.duplicate_of_id IS NULL""",
    "a run that is better than its mail": """
        SELECT x.id FROM job_runs x JOIN mail_readings r ON r.id = x.reading_id
        WHERE x.raw_status IN ('success', 'informational') AND r.status IS DISTINCT FROM x.raw_status
          AND NOT EXISTS (SELECT FROM job_runs a WHERE a.attempt_of_id = x.id)""",
    "a recovery without a retry that succeeded": """
        SELECT x.id FROM job_runs x
        WHERE x.recovered_on IS NOT NULL AND NOT EXISTS (
          SELECT FROM job_runs a JOIN mail_readings r ON r.id = a.reading_id
          WHERE a.attempt_of_id = x.id AND r.status = 'success' AND a.run_at > x.run_at)""",
    "an attempt of another job's run, of an attempt, or of one that came later": """
        SELECT a.id FROM job_runs a JOIN job_runs x ON x.id = a.attempt_of_id
        WHERE x.job_id <> a.job_id OR x.attempt_of_id IS NOT NULL OR x.run_at > a.run_at""",
    "a slot that shows an attempt": """
        SELECT a.id FROM job_runs a JOIN job_slots s ON s.run_id = a.id WHERE a.attempt_of_id IS NOT NULL""",
    "an arrival of a mail that is in": """
        SELECT a.id FROM mail_arrivals a JOIN mail_messages m ON m.graph_id = a.graph_id""",
    "a mail whose source and id contradict each other": """
        SELECT id FROM mail_messages WHERE (source = 'graph') <> (graph_id IS NOT NULL)""",
    "a move of another mail": """
        SELECT v.id FROM mail_moves v JOIN mail_messages m ON m.id = v.mail_id
        WHERE v.graph_id IS DISTINCT FROM m.graph_id""",
    "a mail with bytes of nothing": """
        SELECT w.mail_id FROM mail_raw w JOIN mail_messages m ON m.id = w.mail_id
        WHERE m.source = 'graph' AND w.size = 0""",
    "a run with an open finding that counts as good": """
        SELECT x.id FROM job_runs x JOIN vanished_objects v ON v.run_id = x.id
        WHERE v.confirmed_at IS NULL AND x.status IN ('success', 'informational')""",
}


def broken_promises(db: Session) -> dict[str, list[int]]:
    """Return the ids of the rows that break a promise, by the promise; empty when the ledger is whole."""
    found = {what: list(db.scalars(text(query))) for what, query in _BROKEN.items()}
    return {what: ids for what, ids in found.items() if ids}
