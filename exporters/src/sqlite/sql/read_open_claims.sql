SELECT pack_rows(node, class, source, scope, since, until, ending, state, seen, points, hash)
FROM (
    SELECT node, class, source, scope, since, until, ending, state, seen, points, nodes.hash
    FROM claims INDEXED BY claims_by_scope
    LEFT JOIN nodes ON nodes.id = claims.node
    WHERE class = ?1 AND source = ?2 AND scope = ?3 AND until IS NULL AND node > ?4
    ORDER BY node
    LIMIT ?5
)
