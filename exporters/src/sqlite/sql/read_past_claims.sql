-- `keys` finds the claims of each node with one seek per claim, since a claim may have thousands of intervals. (The `+`
-- makes SQLite seek by all three columns, not by the first only.)
WITH RECURSIVE keys (node, class, source, scope) AS (
    SELECT node, class, source, scope
    FROM json_each(?1) AS given
    CROSS JOIN claim_history AS first
    WHERE (first.node, first.class, first.source, first.scope, first.since) = (
        SELECT node, class, source, scope, since
        FROM claim_history
        WHERE node = given.value
        ORDER BY class, source, scope, since
        LIMIT 1
    )
    UNION
    SELECT next.node, next.class, next.source, next.scope
    FROM keys
    CROSS JOIN claim_history AS next
    WHERE (next.node, next.class, next.source, next.scope, next.since) = (
        SELECT node, class, source, scope, since
        FROM claim_history
        WHERE node = keys.node AND (class, source, scope) > (+keys.class, +keys.source, +keys.scope)
        ORDER BY class, source, scope, since
        LIMIT 1
    )
)
SELECT pack_rows(
    past.node, past.class, past.source, past.scope, past.since, past.until, past.ending, past.state, past.seen,
    past.points
)
FROM keys
CROSS JOIN claim_history AS past USING (node, class, source, scope)
WHERE past.since >= coalesce(
    (
        SELECT since
        FROM claim_history AS before
        WHERE before.node = keys.node AND before.class = keys.class AND before.source = keys.source
          AND before.scope = keys.scope AND before.until <= ?2
        ORDER BY before.since DESC
        LIMIT 1
    ),
    0
)
