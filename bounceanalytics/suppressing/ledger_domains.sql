-- Domains whose mail system was full, those still full first, and how many of their addresses are suppressed or held for it.
-- Parameters: at.
SELECT
    domain,
    coalesce(suppressed, 0),
    first_full,
    last_full,
    last_delivered,
    coalesce(last_delivered > coalesce(last_full, 0), 0) AS recovered
FROM domains
LEFT JOIN (
    SELECT domain, count(*) AS suppressed
    FROM entries
    WHERE reason = 'system_full' AND verdict <> 'keep' AND NOT coalesce(hold_until <= :at, 0)
    GROUP BY domain
) USING (domain)
WHERE was_full
ORDER BY recovered, last_full DESC, domain
