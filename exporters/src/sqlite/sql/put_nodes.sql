INSERT OR FAIL INTO nodes (
    id, hash, listing, kind, provider, account, region, has_lifecycle, ended, unobserved, first_seen,
    last_seen, changed, same_as, uid, name, tags
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET
    listing = excluded.listing,
    kind = excluded.kind,
    provider = excluded.provider,
    account = excluded.account,
    region = excluded.region,
    has_lifecycle = excluded.has_lifecycle,
    ended = excluded.ended,
    unobserved = excluded.unobserved,
    first_seen = excluded.first_seen,
    last_seen = excluded.last_seen,
    changed = excluded.changed,
    same_as = excluded.same_as,
    name = excluded.name,
    tags = excluded.tags
