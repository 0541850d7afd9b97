INSERT INTO trigrams (trigrams, rowid, text)
SELECT 'delete', places.value, texts.text
FROM json_each(?1) AS places
CROSS JOIN texts ON texts.id = (places.value & 0xFFFFFFFFFF) * 8 + (places.value >> 40 & 15)
