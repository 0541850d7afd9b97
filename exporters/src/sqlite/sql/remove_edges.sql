DELETE FROM edges
WHERE (from_node, kind, to_node, source, scope, is_observation) IN (VALUES (?, ?, ?, ?, ?, ?))
RETURNING pack_row(to_node, kind, from_node)
