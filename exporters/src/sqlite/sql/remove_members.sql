DELETE FROM members
WHERE class = ?1 AND source = ?2 AND scope = ?3 AND hash NOT IN (SELECT value FROM json_each(?4))
