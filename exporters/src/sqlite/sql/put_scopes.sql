INSERT OR FAIL INTO scopes (class, source, scope, forgotten, touched, scans)
VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    forgotten = excluded.forgotten,
    touched = excluded.touched,
    scans = excluded.scans
