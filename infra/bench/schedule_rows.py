"""The rows that schedules are measured on, written by the server itself: millions of runs through the app take hours.

Of twenty jobs fourteen run daily, three from Monday to Friday, two weekly, and one twice a day, each with a jitter of
twenty minutes. Every job has one mail, by which it is known where its reports come from.
"""

JOBS_WITH_HISTORY = """
    SELECT setseed(0.5);
    INSERT INTO customers (name) SELECT 'Customer ' || n FROM generate_series(1, 200) n;
    INSERT INTO jobs (customer_id, backup_software, backup_type, job_name, kind)
        SELECT 1 + n %% 200, 'Bench', 'Backup', 'Job ' || n, 'regular' FROM generate_series(1, %(jobs)s) n ORDER BY n;
    INSERT INTO job_keys (job_id, from_address, backup_software, backup_type, job_name)
        SELECT id, 'backup@customer' || customer_id || '.example', 'bench', 'backup', lower(job_name) FROM jobs;
    INSERT INTO mail_messages (source, file_key, received_at, received_source, imported_at, location, job_id)
        SELECT 'folder', decode(lpad(to_hex(id), 8, '0'), 'hex'), %(until)s, 'date', %(until)s, 'processed', id
        FROM jobs ORDER BY id;
    INSERT INTO mail_readings (mail_id, number, outcome, job_id) SELECT id, 1, 'run', job_id FROM mail_messages;
    CREATE TEMPORARY TABLE times ON COMMIT DROP AS
        SELECT id AS job_id, id %% 20 AS kind, hours + (hashint4(id::int) & 255) * interval '5 minutes' AS at
        FROM jobs, LATERAL (
            SELECT interval '0' AS hours UNION ALL SELECT interval '12 hours' WHERE id %% 20 = 19
        ) twice;
    INSERT INTO job_runs (job_id, source, matched_by, run_at, raw_status, status, reading_id, is_placed)
        SELECT job_id, 'mail', 'name', run_at, 'success', 'success',
            CASE WHEN row_number() OVER (PARTITION BY job_id ORDER BY run_at DESC) = 1 THEN mail_readings.id END, true
        FROM (
            SELECT job_id, day + at + random() * interval '20 minutes' AS run_at
            FROM generate_series(%(until)s - interval '1 day' * %(days)s, %(until)s, interval '1 day') day, times
            WHERE kind < 14 OR kind = 19
                OR kind < 17 AND extract(isodow FROM day) < 6
                OR kind BETWEEN 17 AND 18 AND extract(isodow FROM day) = 1 + job_id %% 7
        ) runs JOIN mail_readings USING (job_id)
        WHERE run_at < %(until)s;
    INSERT INTO import_cycles (source, trigger, started_at, finished_at, complete)
        VALUES ('folder', 'timer', %(until)s, %(until)s, true);
"""

ONE_MORE_NIGHT = """
    INSERT INTO import_cycles (source, trigger, started_at, finished_at, complete)
        VALUES ('folder', 'timer', %(covered)s, %(covered)s, true);
    INSERT INTO job_runs (job_id, source, matched_by, run_at, raw_status, status)
        SELECT job_id, 'mail', 'name', slot_at + interval '1 minute', 'success', 'success'
        FROM job_slots
        WHERE slot_at BETWEEN %(since)s AND %(covered)s - interval '5 minutes' AND job_id %% %(missed_every)s <> 0;
"""

ANALYSE = "ANALYZE"
