INSERT OR FAIL INTO edges (
    from_node, kind, to_node, source, scope, is_observation, confidence, first_seen, last_seen, properties
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    confidence = max(confidence, excluded.confidence),
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen),
    -- A null is less than any value.
    properties = iif(
        (excluded.last_seen, excluded.properties IS NOT NULL, coalesce(excluded.properties, x''))
            > (last_seen, properties IS NOT NULL, coalesce(properties, x'')),
        excluded.properties,
        properties
    )
