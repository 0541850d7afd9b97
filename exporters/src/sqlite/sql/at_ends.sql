-- Uids at either end of an edge; the members of a set were seen when the set was.
SELECT r.at_end, min(coalesce(f.first_seen, r.first_seen)), max(coalesce(f.last_seen, r.last_seen))
FROM (
    SELECT uid AS at_end, uid, source, set_hash, first_seen, last_seen
    FROM relations
    WHERE uid IN (SELECT value FROM json_each(?1))
    UNION ALL
    SELECT to_uid AS at_end, uid, source, set_hash, first_seen, last_seen
    FROM relations
    WHERE to_uid IN (SELECT value FROM json_each(?1))
) r
LEFT JOIN facts f
    ON r.set_hash <> 0 AND f.uid = r.uid AND f.grp = 'edges' AND f.source = r.source AND f.scope = ''
    AND f.hash = r.set_hash
GROUP BY r.at_end
