DELETE FROM aliases
WHERE (node, kind, value_hash, within, source, scope, is_observation) IN (VALUES (?, ?, ?, ?, ?, ?, ?))
RETURNING pack_row(value_hash, node)
