SELECT first_began, last_began, members, scans
FROM (
    SELECT first_began, last_began, members, scans
    FROM completions
    WHERE scope = ?1 AND source = ?2 AND grp = ?3 AND first_began <= ?4
    ORDER BY first_began DESC
    LIMIT 4
)
UNION ALL
SELECT first_began, last_began, members, scans
FROM (
    SELECT first_began, last_began, members, scans
    FROM completions
    WHERE scope = ?1 AND source = ?2 AND grp = ?3 AND first_began > ?4
    ORDER BY first_began
    LIMIT 2
)
