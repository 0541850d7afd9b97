INSERT OR FAIL INTO edges (
    from_node, kind, to_node, source, scope, is_observation, confidence, first_seen, last_seen, properties
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO NOTHING
RETURNING pack_row(from_node, kind, to_node, source, scope, is_observation)
