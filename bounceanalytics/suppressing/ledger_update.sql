-- Words (table told), their keys and the signs of life (tables asked, known) before they become evidence: what is left of
-- the words, and the keys on which there is something to judge (table touched).

-- Nothing is told twice.
DELETE FROM temp.told AS told
WHERE EXISTS (
    SELECT 1
    FROM evidence AS other
    WHERE
        other.key = told.key
        AND other.class = told.class
        AND other.moment = told.moment
        AND other.weight >= told.weight
        AND (told.known_from, other.known_to, other.up_to, other.weight, other.content)
            >= (other.known_from, told.known_to, told.up_to, told.weight, told.content)
);

-- Not a single word on somebody of whom nothing was known: it stands.
CREATE TEMP TABLE touched AS
SELECT key FROM temp.asked AS asked JOIN known USING (key) WHERE asked.alive > coalesce(known.alive, -1)
UNION
SELECT key FROM temp.told WHERE key IN (SELECT key FROM known) OR key IN (SELECT key FROM lifts)
UNION
SELECT key FROM temp.told GROUP BY key HAVING count(*) > 1;
