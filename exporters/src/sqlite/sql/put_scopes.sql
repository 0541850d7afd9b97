INSERT OR FAIL INTO scopes (class, source, scope, forgotten, is_touched, scans)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    forgotten = excluded.forgotten,
    is_touched = excluded.is_touched,
    scans = excluded.scans
