-- What mail has shown of the receiving servers of watched domains (table asked).
SELECT
    domain,
    nullif(host, '') AS remote_host,
    min(first) FILTER (WHERE kind = 'full') AS first_full,
    max(last) FILTER (WHERE kind = 'full') AS last_full,
    coalesce(sum(bounces) FILTER (WHERE kind = 'full'), 0) AS full_bounces,
    coalesce(max(addresses) FILTER (WHERE kind = 'full'), 0) AS full_addresses,
    max(last) FILTER (WHERE kind = 'accepted') AS last_accepted,
    max(last) FILTER (WHERE kind NOT IN ('full', 'accepted')) AS last_refused
FROM (
    SELECT domain, host, kind, first, last, bounces, addresses FROM temp.asked CROSS JOIN refusals USING (domain)
    UNION ALL
    SELECT domain, host, 'accepted', first, last, 0, 0 FROM temp.asked CROSS JOIN accepted USING (domain)
)
GROUP BY domain, host
ORDER BY domain, last_full DESC NULLS LAST, last_accepted DESC NULLS LAST, host
