INSERT OR FAIL INTO versions (
    node, source, scope, state, edges, aliases, kind, provider, account, region, name, tags, value, written
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (node, source, scope, state) DO UPDATE SET
    edges = coalesce(edges, excluded.edges),
    aliases = coalesce(aliases, excluded.aliases),
    kind = coalesce(kind, excluded.kind),
    provider = iif(kind IS NULL, excluded.provider, provider),
    account = iif(kind IS NULL, excluded.account, account),
    region = iif(kind IS NULL, excluded.region, region),
    name = iif(kind IS NULL, excluded.name, name),
    tags = iif(kind IS NULL, excluded.tags, tags),
    value = iif(kind IS NULL, excluded.value, value),
    written = max(written, excluded.written)
WHERE (edges IS NULL AND excluded.edges IS NOT NULL)
   OR (aliases IS NULL AND excluded.aliases IS NOT NULL)
   OR (kind IS NULL AND excluded.kind IS NOT NULL)
   OR excluded.written > written
