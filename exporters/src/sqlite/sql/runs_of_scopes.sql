-- The newest runs of each scope up to a moment: older ends have been written down as facts.
SELECT scope, source, grp, first_began, last_began, members, scans
FROM (
    SELECT *, row_number() OVER (PARTITION BY scope, source, grp ORDER BY first_began DESC) AS age
    FROM completions
    WHERE scope IN (SELECT value FROM json_each(?1)) AND first_began <= ?2
)
WHERE age <= ?3
