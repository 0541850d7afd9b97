SELECT minute, from_node, kind, to_node, connection_type, writer, chunk, calls, errors, duration_sum,
       duration_max, scale, first_bucket, counts
FROM edge_stats
WHERE minute >= ?1 AND minute < ?2
