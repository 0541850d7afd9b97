INSERT OR FAIL INTO edge_stats_hourly (
    minute, from_node, kind, to_node, connection_type, writer, chunk, calls, errors, duration_sum,
    duration_max, scale, first_bucket, counts
)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    calls = excluded.calls,
    errors = excluded.errors,
    duration_sum = excluded.duration_sum,
    duration_max = excluded.duration_max,
    scale = excluded.scale,
    first_bucket = excluded.first_bucket,
    counts = excluded.counts
WHERE (excluded.calls, excluded.errors, excluded.duration_sum) > (calls, errors, duration_sum)
