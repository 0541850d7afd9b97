-- Uids of which something has the text ?1 (in lower case) in it, the best first: 0 is the text, 1
-- begins with it, 2 has it in it; of 3 the tags have. What is found here is checked afterwards. Only
-- ASCII is folded, so where the text has other letters (?7) all that has such is a candidate.
SELECT fit, uid
FROM (
    SELECT min(fit) AS fit, uid
    FROM (
        SELECT uid, value AS text,
               CASE WHEN lower(value) = ?1 OR value = ?2 THEN 0
                    WHEN instr(lower(value), ?1) = 1 THEN 1
                    ELSE 2 END AS fit
        FROM aliases
        WHERE instr(lower(value), ?1) > 0 OR (?7 AND value GLOB '*[^ -~]*')
        UNION ALL
        SELECT uid, name AS text,
               CASE WHEN lower(name) = ?1 OR name = ?2 THEN 0
                    WHEN instr(lower(name), ?1) = 1 THEN 1
                    ELSE 2 END AS fit
        FROM facts
        WHERE instr(lower(name), ?1) > 0 OR (?7 AND name GLOB '*[^ -~]*')
        UNION ALL
        SELECT uid, uid AS text,
               CASE WHEN lower(uid) = ?1 OR uid = ?2 THEN 0
                    WHEN instr(lower(uid), ?1) = 1 THEN 1
                    ELSE 2 END AS fit
        FROM facts
        WHERE instr(lower(uid), ?1) > 0 OR (?7 AND uid GLOB '*[^ -~]*')
        UNION ALL
        SELECT uid, NULL AS text, 3 AS fit
        FROM facts
        WHERE tags IS NOT NULL AND (?7 OR instr(lower(CAST(tags AS TEXT)), ?1) > 0)
    )
    GROUP BY uid
) AS found
WHERE (fit, uid) > (?3, ?4)
  AND (?5 IS NULL
       OR EXISTS (
           SELECT 1
           FROM facts
           WHERE facts.uid = found.uid AND facts.kind IN (SELECT value FROM json_each(?5))))
ORDER BY fit, uid
LIMIT ?6
