-- Updates nodes whose indexed columns do not change, so that no index is written. Returns the updated nodes.
WITH changed (
    id, listing, kind, provider, account, region, has_lifecycle, ended, unobserved, first_seen,
    last_seen, changed, same_as, name, tags
) AS (
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
)
UPDATE nodes SET
    has_lifecycle = changed.has_lifecycle,
    ended = changed.ended,
    unobserved = changed.unobserved,
    first_seen = changed.first_seen,
    last_seen = changed.last_seen,
    changed = changed.changed,
    name = changed.name,
    tags = changed.tags
FROM changed
WHERE
    nodes.id = changed.id
    AND nodes.listing IS changed.listing
    AND nodes.kind IS changed.kind
    AND nodes.provider IS changed.provider
    AND nodes.account IS changed.account
    AND nodes.region IS changed.region
    AND nodes.same_as IS changed.same_as
RETURNING pack_row(nodes.id)
