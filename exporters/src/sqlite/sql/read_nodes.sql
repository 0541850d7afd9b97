SELECT pack_rows(
    id, uid, listing, ended, unobserved, has_lifecycle, kind, provider, account, region, name,
    first_seen, last_seen, changed, same_as, iif(?2, tags, NULL)
)
FROM nodes
WHERE id IN (SELECT value FROM json_each(?1))
