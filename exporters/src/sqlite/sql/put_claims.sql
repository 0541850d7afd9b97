INSERT OR FAIL INTO claims (node, class, source, scope, since, until, ending, state, seen, points)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    since = excluded.since,
    until = excluded.until,
    ending = excluded.ending,
    state = excluded.state,
    seen = excluded.seen,
    points = excluded.points
