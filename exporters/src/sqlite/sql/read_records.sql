SELECT pack_rows(
    id, signal, record, opened, time, source, uid, names, status, severity, resolved, columns, impact,
    impact_time
)
FROM records
WHERE (signal, record, opened) IN (VALUES (?, ?, ?))
