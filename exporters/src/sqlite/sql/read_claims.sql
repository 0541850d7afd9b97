SELECT pack_rows(node, class, source, scope, since, until, ending, state, seen, points)
FROM claims
WHERE node IN (SELECT value FROM json_each(?1))
