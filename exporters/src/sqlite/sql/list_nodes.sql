SELECT id
FROM nodes INDEXED BY nodes_by_listing
WHERE listing = ?1 AND listing > 0 AND id > ?2
  AND (?4 IS NULL OR kind IN (SELECT value FROM json_each(?4)))
  AND (?5 = 0 OR provider = ?5)
  AND (?6 = 0 OR account = ?6)
  AND (?7 = 0 OR region = ?7)
  -- lower() knows ASCII alone.
  AND (
      ?8 IS NULL
      OR instr(lower(uid), ?8) > 0
      OR instr(lower(name), ?8) > 0
      OR length(uid) <> octet_length(uid)
      OR length(name) <> octet_length(name)
  )
  AND (
      ?9 IS NULL
      OR NOT EXISTS (
          SELECT 1
          FROM json_each(?9) AS part
          WHERE nodes.tags IS NULL OR instr(nodes.tags, CAST(part.value AS BLOB)) = 0
      )
  )
ORDER BY id
LIMIT ?3
