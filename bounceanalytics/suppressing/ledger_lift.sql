-- Lifts of some keys (table asked; those that are suppressed are in the table before). Parameters: reach, made_at, why.
INSERT INTO lifts
SELECT
    key,
    coalesce(
        :reach,
        max(
            -1,
            coalesce(known.last_seen, -1),
            coalesce(known.alive, -1),
            coalesce((SELECT max(moment) FROM evidence WHERE evidence.key = asked.key AND class <> 'manual'), -1)
        )
    ),
    -- not before what was entered by hand, whatever the clock says
    max(
        :made_at,
        coalesce((SELECT max(moment) FROM evidence WHERE evidence.key = asked.key AND class = 'manual'), -1)
    ),
    :why
FROM temp.asked AS asked
LEFT JOIN known USING (key)
WHERE :reach IS NOT NULL OR key IN (SELECT key FROM temp.before WHERE verdict <> 'keep')
ON CONFLICT (key) DO UPDATE SET
    up_to = max(up_to, excluded.up_to),
    why = iif(excluded.made_at >= made_at, excluded.why, why),
    made_at = max(made_at, excluded.made_at);
