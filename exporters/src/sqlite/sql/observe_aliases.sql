INSERT OR FAIL INTO aliases (
    node, kind, value_hash, within, source, scope, is_observation, valid_from, valid_to, first_seen,
    last_seen, value
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    -- A null is less than any value.
    valid_from = iif(
        (excluded.last_seen, coalesce(excluded.valid_from, -1), coalesce(excluded.valid_to, -1))
            > (last_seen, coalesce(valid_from, -1), coalesce(valid_to, -1)),
        excluded.valid_from,
        valid_from
    ),
    valid_to = iif(
        (excluded.last_seen, coalesce(excluded.valid_from, -1), coalesce(excluded.valid_to, -1))
            > (last_seen, coalesce(valid_from, -1), coalesce(valid_to, -1)),
        excluded.valid_to,
        valid_to
    ),
    first_seen = min(first_seen, excluded.first_seen),
    last_seen = max(last_seen, excluded.last_seen)
