INSERT OR FAIL INTO aliases (
    node, kind, value_hash, within, source, scope, is_observation, valid_from, valid_to, first_seen,
    last_seen, value
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
RETURNING pack_row(node, kind, value_hash, within, source, scope, is_observation)
