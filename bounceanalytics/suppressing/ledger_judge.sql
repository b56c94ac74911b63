-- What becomes of all words on some keys (table touched): a function of the words, the signs of life and the lifts alone.

-- Of two words on one moment that has the say which knows the address from earlier on, then up to later, then from the
-- newer run, then the severer. A word on an earlier moment is outdone by one that knows the address from as early on and
-- is as severe.
UPDATE evidence AS told
SET fate = CASE
    WHEN moment <= (SELECT iif(told.class = 'manual', made_at, up_to) FROM lifts WHERE lifts.key = told.key)
        THEN 'lifted'
    WHEN class = 'failed' AND moment < (SELECT alive FROM known WHERE known.key = told.key) THEN 'cleared'
    WHEN EXISTS (
        SELECT 1
        FROM evidence AS other
        WHERE
            other.key = told.key
            AND other.class = told.class
            AND other.moment >= told.moment
            AND other.known_from <= told.known_from
            AND CASE
                WHEN other.moment > told.moment THEN other.weight >= told.weight
                ELSE (told.known_from, other.known_to, other.up_to, other.weight, other.content)
                    > (other.known_from, told.known_to, told.up_to, told.weight, told.content)
            END
    ) THEN 'outdone'
    ELSE 'stands'
END
WHERE key IN (SELECT key FROM temp.touched);

-- What can never count again, whatever is told in future, is dropped; but the last word against an address stays.
DELETE FROM evidence AS told
WHERE
    key IN (SELECT key FROM temp.touched)
    AND CASE fate
        WHEN 'stands' THEN FALSE
        -- one that removes outdoes whatever this one does
        WHEN 'outdone' THEN EXISTS (
            SELECT 1
            FROM evidence AS other
            WHERE
                other.key = told.key
                AND other.class = told.class
                AND other.moment >= told.moment
                AND other.known_from <= told.known_from
                AND CASE
                    WHEN other.moment > told.moment THEN other.verdict = 'remove'
                    ELSE other.weight >= told.weight
                        AND (told.known_from, other.known_to, other.up_to, other.weight, other.content)
                            > (other.known_from, told.known_to, told.up_to, told.weight, told.content)
                END
        )
        ELSE weight = 0 OR EXISTS (
            SELECT 1
            FROM evidence AS other
            WHERE
                other.key = told.key
                AND other.weight > 0
                AND (
                    other.moment, told.class, told.known_from, other.known_to, other.up_to, other.weight, other.content
                ) > (
                    told.moment, other.class, other.known_from, told.known_to, told.up_to, told.weight, told.content
                )
        )
    END;

-- The entry is the severest word that stands, wishes before all others; where none does, the last one tells what it was.
UPDATE evidence AS told
SET decides = coalesce(
    (class, moment, number) = (
        SELECT other.class, other.moment, other.number
        FROM evidence AS other
        WHERE other.key = told.key AND other.weight > 0
        ORDER BY
            iif(other.fate = 'stands', other.weight, 0) DESC, other.moment DESC, other.class,
            other.known_from, other.known_to DESC, other.up_to DESC, other.weight DESC, other.content DESC
        LIMIT 1
    ),
    0
)
WHERE key IN (SELECT key FROM temp.touched);
