-- When these domains took mail. Tables: sends, full_domains.

CREATE OR REPLACE TEMP TABLE accepted_counts AS
SELECT
    full_domains.domain,
    count(*) FILTER (moment BETWEEN first_seen AND last_seen) AS accepted_between,
    min(moment) FILTER (moment > decisive) AS accepted_again,
    max(moment) AS last_accepted
FROM sends
JOIN full_domains ON full_domains.domain = sends.domain::VARCHAR
WHERE outcome = 'delivered'
GROUP BY full_domains.domain;
