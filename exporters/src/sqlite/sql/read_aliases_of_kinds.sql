SELECT pack_rows(node, kind, value, within, source, scope, is_observation, valid_from, valid_to, first_seen, last_seen)
FROM (
    SELECT node, kind, value, within, source, scope, is_observation, valid_from, valid_to, first_seen, last_seen
    FROM aliases
    WHERE +kind IN (SELECT value FROM json_each(?1))
      AND node IN (
          SELECT DISTINCT node
          FROM aliases
          WHERE node > ?2 AND +kind IN (SELECT value FROM json_each(?1))
          ORDER BY node
          LIMIT ?3
      )
    ORDER BY node, kind
)
