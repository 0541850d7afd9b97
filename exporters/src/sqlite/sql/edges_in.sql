SELECT uid, kind, to_uid, source, set_hash, confidence, properties, first_seen, last_seen
FROM relations
WHERE to_uid IN (SELECT value FROM json_each(?1))
  AND (?2 IS NULL OR kind IN (SELECT value FROM json_each(?2)))
  AND (uid, kind, to_uid, source, set_hash) > (?3, ?4, ?5, ?6, ?7)
ORDER BY uid, kind, to_uid, source, set_hash
LIMIT ?8
