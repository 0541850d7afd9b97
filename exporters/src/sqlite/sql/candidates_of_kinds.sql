-- As candidates.sql, from the index by kind.
SELECT DISTINCT facts.uid
FROM json_each(?2) AS kinds
CROSS JOIN facts ON facts.kind = kinds.value AND facts.uid > ?1
WHERE grp NOT IN ('edges', 'aliases')
  AND (?3 IS NULL OR provider = ?3)
  AND (?4 IS NULL OR account = ?4)
  AND (?5 IS NULL OR region = ?5)
  AND (?6 IS NULL
       OR instr(lower(uid), ?6) > 0
       OR instr(lower(coalesce(name, '')), ?6) > 0
       OR uid GLOB '*[^ -~]*'
       OR name GLOB '*[^ -~]*')
  AND (?8 IS NULL
       OR EXISTS (
           SELECT 1
           FROM facts AS tagged
           WHERE tagged.uid = facts.uid
             AND NOT EXISTS (
                 SELECT 1
                 FROM json_each(?8) AS needle
                 WHERE ifnull(instr(tagged.tags, CAST(needle.value AS BLOB)), 0) = 0)))
ORDER BY facts.uid
LIMIT ?7
