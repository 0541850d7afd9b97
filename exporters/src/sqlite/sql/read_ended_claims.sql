SELECT pack_rows(claims.node, nodes.hash)
FROM claims INDEXED BY claims_by_scope
LEFT JOIN nodes ON nodes.id = claims.node
WHERE class = ?1 AND source = ?2 AND scope = ?3 AND until > ?4
