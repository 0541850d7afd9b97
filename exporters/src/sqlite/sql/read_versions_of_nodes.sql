SELECT pack_rows(
    node, source, scope, state, edges, aliases, written, kind, provider, account, region, name, tags,
    NULL
)
FROM versions
WHERE node IN (SELECT value FROM json_each(?1))
