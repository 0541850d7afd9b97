INSERT OR FAIL INTO records (
    signal, record, opened, time, source, uid, names, status, severity, resolved, columns, impact,
    impact_time
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (signal, record, opened) DO UPDATE SET
    time = excluded.time,
    source = excluded.source,
    uid = excluded.uid,
    names = excluded.names,
    status = excluded.status,
    severity = excluded.severity,
    resolved = excluded.resolved,
    columns = excluded.columns,
    impact = excluded.impact,
    impact_time = excluded.impact_time
RETURNING pack_row(id, signal, record, opened)
