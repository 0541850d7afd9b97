INSERT OR FAIL INTO claim_history (node, class, source, scope, since, until, ending, state, seen, points)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    until = excluded.until,
    ending = excluded.ending,
    state = excluded.state,
    seen = excluded.seen,
    points = excluded.points
