SELECT pack_rows(class, source, scope, forgotten, touched, scans)
FROM scopes
WHERE scope IN (SELECT value FROM json_each(?1))
