SELECT pack_rows(
    node, source, scope, state, edges, aliases, written, kind, provider, account, region, name, tags,
    NULL
)
FROM versions
WHERE (node, source, scope, state) IN (VALUES (?, ?, ?, ?))
