SELECT pack_rows(rowid, text)
FROM (
    SELECT trigrams.rowid, texts.text
    FROM trigrams
    CROSS JOIN texts ON texts.id = (trigrams.rowid & 0xFFFFFFFFFF) * 8 + (trigrams.rowid >> 40 & 15)
    WHERE trigrams MATCH ?1 AND trigrams.rowid > ?2 AND trigrams.rowid < ?4
    ORDER BY trigrams.rowid
    LIMIT ?3
)
