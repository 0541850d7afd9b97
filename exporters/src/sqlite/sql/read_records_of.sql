SELECT pack_rows(
    id, signal, record, opened, time, source, uid, names, status, severity, resolved, columns, impact, impact_time
)
FROM (
    SELECT id, signal, record, opened, time, source, uid, names, status, severity, resolved, columns, impact,
           impact_time
    FROM records
    WHERE id IN (
        SELECT id
        FROM record_names
        WHERE uid_hash IN (SELECT value FROM json_each(?1))
          AND (?2 IS NULL OR signal IN (SELECT value FROM json_each(?2)))
          AND opened < ?4
          -- The time at which the last record of the page was opened. Records of the same time are
          -- ordered by signal and id.
          AND opened >= coalesce(
              (
                  SELECT min(opened)
                  FROM (
                      SELECT DISTINCT opened, id
                      FROM record_names
                      WHERE uid_hash IN (SELECT value FROM json_each(?1))
                        AND (?2 IS NULL OR signal IN (SELECT value FROM json_each(?2)))
                        AND opened >= ?3 AND opened < ?4
                      ORDER BY opened DESC
                      LIMIT ?5
                  )
              ),
              ?3
          )
    )
    ORDER BY opened DESC, signal, record
    LIMIT ?5
)
