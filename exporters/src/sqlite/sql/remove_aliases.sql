DELETE FROM aliases
WHERE (node, kind, value_hash, within, source, scope, is_observation) IN (VALUES (?, ?, ?, ?, ?, ?, ?))
RETURNING value_hash, node
