-- Some keys (table asked) become hashes (table hashes); nothing stays of those that never were suppressed.

CREATE TEMP TABLE never AS
SELECT key FROM temp.asked WHERE key NOT IN (SELECT key FROM evidence WHERE weight > 0);

DELETE FROM known WHERE key IN (SELECT key FROM never);

DELETE FROM evidence WHERE key IN (SELECT key FROM never);

DELETE FROM lifts WHERE key IN (SELECT key FROM never);

UPDATE known SET key = hashes.hash, erased = 1 FROM temp.hashes WHERE known.key = hashes.key;

UPDATE evidence
SET key = hashes.hash, explanation = NULL, source = NULL, record = NULL
FROM temp.hashes
WHERE evidence.key = hashes.key;

UPDATE lifts SET key = hashes.hash, why = NULL FROM temp.hashes WHERE lifts.key = hashes.key;

UPDATE reviews SET key = hashes.hash FROM temp.hashes WHERE reviews.key = hashes.key;

UPDATE changes SET key = hashes.hash, why = NULL FROM temp.hashes WHERE changes.key = hashes.key;

DROP TABLE temp.never;
