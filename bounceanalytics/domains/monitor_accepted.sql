-- Mail that was taken, by domain, receiving host and blocks of 32 days, a bit for each day. An open or a click counts where it is
-- known when the message was sent. Table: responses; view: events. Parameter: no_domain.
SELECT
    events.domain::VARCHAR AS domain,
    coalesce(lower(trim(remote_host)), '') AS host,
    epoch_us(moment) // 86400000000 // 32 AS block,
    bit_or(1::BIGINT << (epoch_us(moment) // 86400000000 % 32)) AS days,
    min(epoch_us(moment)) AS first,
    max(epoch_us(moment)) AS last
FROM responses
JOIN events USING (row)
WHERE accepted AND (responses.event = 'delivered' OR moment <> happened) AND events.domain <> $no_domain
GROUP BY ALL
ORDER BY ALL
