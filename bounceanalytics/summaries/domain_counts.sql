-- The sums of each domain, and of the reasons for which its mail came back. Table: sends; macros: measures.sql.

CREATE OR REPLACE TEMP TABLE domain_reasons AS
SELECT domain::VARCHAR AS domain, reason::VARCHAR AS reason, count(*) AS n
FROM sends
WHERE outcome = 'bounced'
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE domain_counts AS
SELECT sums.* REPLACE (sums.domain::VARCHAR AS domain), coalesce(people.addresses, 0) AS addresses
FROM (
    SELECT
        domain,
        unnest(counts(outcome, bounce_type, rated)),
        unnest(seen(moment)),
        unnest(course(moment, outcome, bounce_type, rated))
    FROM sends
    GROUP BY domain
) AS sums
-- two steps take a third of the time of count(DISTINCT) where groups are many
LEFT JOIN (
    SELECT domain, count(*) AS addresses
    FROM (SELECT DISTINCT domain, address FROM sends WHERE address IS NOT NULL)
    GROUP BY domain
) AS people ON people.domain = sums.domain;
