-- Since when the events of each ESP are known, and the time of which its exports hold deliveries. A server may take days to give
-- up (RFC 5321, 4.5.4.1). Table: reaches. Parameter: slack, days.

CREATE OR REPLACE TEMP TABLE coverage AS
SELECT
    provider,
    min(first) - to_days($slack) AS since,
    min(delivered_first) - to_days($slack) AS begins,
    max(delivered_last) + to_days($slack) AS ends,
    sum(delivered) > 0 AS has_deliveries
FROM reaches
GROUP BY provider;
