-- What was seen of watched domains (table asked), in the order of time; of equal items in a row, the first and the last. Of mail
-- that was taken the day is known, and of the first and last of a block the time. Items of one moment: the worse one comes last.
WITH RECURSIVE bits (bit) AS (
    VALUES (0)
    UNION ALL
    SELECT bit + 1 FROM bits WHERE bit < 31
),
taken AS MATERIALIZED (
    SELECT accepted.* FROM temp.asked CROSS JOIN accepted USING (domain)
),
delivered (domain, moment) AS (
    SELECT domain, first FROM taken
    UNION
    SELECT domain, last FROM taken
    UNION
    SELECT domain, (block * 32 + bit) * 86400000000
    FROM taken
    JOIN bits ON (days >> bit) & 1
    WHERE block * 32 + bit NOT IN (first / 86400000000, last / 86400000000)
),
trouble AS MATERIALIZED (
    SELECT
        domain, first, last,
        CASE kind WHEN 'full' THEN 'full' WHEN 'bad_domain' THEN 'failed' ELSE 'unreached' END AS kind
    FROM troubles
    WHERE domain IN (SELECT domain FROM temp.asked)
),
mail (domain, moment, kind) AS (
    -- a mailbox that has room does not mean that all have, on a day on which others were refused later
    SELECT domain, moment, 'accepted'
    FROM delivered
    WHERE NOT EXISTS (
        SELECT 1
        FROM refusals
        WHERE
            refusals.domain = delivered.domain
            AND kind = 'full'
            AND day = moment / 86400000000
            AND last >= moment
    )
    UNION
    SELECT domain, first, kind FROM trouble
    UNION
    SELECT domain, last, kind FROM trouble
),
items AS (
    SELECT
        domain, moment,
        CASE kind WHEN 'accepted' THEN 0 WHEN 'full' THEN 2 ELSE 1 END AS place,
        kind, NULL AS status, NULL AS basis, NULL AS explanation, NULL AS advice
    FROM mail
    UNION ALL
    SELECT domain, checked_at, 3, 'check', status, basis, explanation, advice
    FROM temp.asked
    CROSS JOIN checks USING (domain)
)
SELECT domain, moment, kind, status, basis, explanation, advice
FROM (
    SELECT
        *,
        lag(kind) OVER one AS before,
        lead(kind) OVER one AS after
    FROM items
    WINDOW one AS (PARTITION BY domain ORDER BY moment, place)
)
WHERE kind = 'check' OR kind IS NOT before OR kind IS NOT after
ORDER BY domain, moment, place
