INSERT INTO trigrams (trigrams, rowid, text)
SELECT 'delete', trigram_rows.value, texts.text
FROM json_each(?1) AS trigram_rows
CROSS JOIN texts ON texts.id = (trigram_rows.value & 0xFFFFFFFFFF) * 8 + (trigram_rows.value >> 40 & 15)
