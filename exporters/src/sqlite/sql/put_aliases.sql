INSERT OR FAIL INTO aliases (
    node, kind, value_hash, within, source, scope, is_observation, valid_from, valid_to, first_seen,
    last_seen, value
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    valid_from = excluded.valid_from,
    valid_to = excluded.valid_to,
    first_seen = excluded.first_seen,
    last_seen = excluded.last_seen
