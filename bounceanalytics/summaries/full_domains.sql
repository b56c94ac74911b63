-- Domains that answered "mail system full", and the answer after which an acceptance is a recovery. Table: full_counts.

CREATE OR REPLACE TEMP TABLE full_domains AS
SELECT
    domain,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(addresses)::BIGINT AS addresses,
    sum(bounces)::BIGINT AS bounces,
    sum(permanent)::BIGINT AS permanent,
    sum(bounces - permanent)::BIGINT AS transient,
    coalesce(max(last_permanent), max(last_seen)) AS decisive
FROM full_counts
GROUP BY domain;
