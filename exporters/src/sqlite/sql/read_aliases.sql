SELECT pack_rows(
    node, kind, value, within, source, scope, is_observation, valid_from, valid_to, first_seen,
    last_seen
)
FROM aliases
WHERE node IN (SELECT value FROM json_each(?1))
