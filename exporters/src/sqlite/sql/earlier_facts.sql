SELECT rowid, uid, grp, source, scope, hash, kind, name, provider, account, region, tags, value,
       EXISTS (SELECT 1 FROM earlier_facts AS actual
               WHERE actual.uid = fact.uid AND actual.grp = 'actual' AND actual.source = fact.source
                 AND actual.scope = fact.scope AND actual.hash <> 0),
       CASE WHEN grp IN ('edges', 'aliases') THEN
           (SELECT json_group_array(DISTINCT whole.scope) FROM earlier_facts AS whole
            WHERE whole.uid = fact.uid AND whole.grp IN ('actual', 'desired') AND whole.source = fact.source
              AND whole.hash = fact.hash)
       ELSE '[]' END
FROM earlier_facts AS fact
WHERE rowid IN (SELECT value FROM json_each(?1))
