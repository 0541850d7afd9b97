INSERT OR FAIL INTO edges (
    from_node, kind, to_node, source, scope, is_observation, confidence, first_seen, last_seen, properties
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    confidence = excluded.confidence,
    first_seen = excluded.first_seen,
    last_seen = excluded.last_seen,
    properties = excluded.properties
