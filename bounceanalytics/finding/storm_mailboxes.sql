-- Finish: what the attempts at each mailbox, and at each group of domains, add up to by the hour. What the export does not
-- cover is left out; what bounced as the relay was broken says nothing about mailboxes. Tables: hour_counts, sender_hours,
-- hosts; view: broken. Parameters: ordinary, the share of addresses that is invalid at once; decay, more for each month;
-- domains, so many of which must be struck at once to be looked at as a group.

CREATE OR REPLACE TEMP TABLE mailbox_hours AS
WITH single AS (
    SELECT
        mailbox,
        hour,
        sum(hour_counts.tried)::BIGINT AS tried,
        sum(hits)::BIGINT AS hits,
        sum(hour_counts.proven)::BIGINT AS proven,
        sum(proven_hits)::BIGINT AS proven_hits,
        $ordinary * sum(hour_counts.proven) + $decay * sum(proven_since) / (30 * 86400 * 1000.0) AS proven_expected
    FROM hour_counts
    JOIN sender_hours USING (provider, hour)
    ANTI JOIN broken USING (provider, hour)
    WHERE covered
    GROUP BY mailbox, hour
),

-- Who is known to be of a group by nothing but a refusal has one refusal less: that one chose it.
members AS (
    SELECT
        place,
        single.*,
        CASE WHEN known OR proven_hits = 0 THEN 0 ELSE 1 END AS chosen
    FROM single
    JOIN hosts USING (mailbox)
),

groups AS (
    SELECT
        place,
        hour,
        sum(tried)::BIGINT AS tried,
        sum(hits)::BIGINT AS hits,
        sum(proven) AS proven,
        sum(proven_hits) AS proven_hits,
        sum(proven_expected) AS proven_expected,
        sum(chosen) AS chosen,
        count(*) FILTER (proven_hits > 0) AS domains,
        -- one domain in trouble is none of all
        max(struct_pack(proven_hits, proven)) AS largest
    FROM members
    GROUP BY place, hour
    QUALIFY max(domains) OVER (PARTITION BY place) >= $domains
),

-- Words are known from refusals only, so all domains of their own are what they are a share of.
everybody AS (
    SELECT hour, sum(proven) AS proven, sum(proven_expected) AS proven_expected
    FROM single
    WHERE mailbox LIKE '@%'
    GROUP BY hour
),

worded AS (
    SELECT
        spoken.place,
        hour,
        coalesce(groups.tried, 0) AS tried,
        coalesce(groups.hits, 0) AS hits,
        everybody.proven,
        coalesce(groups.proven_hits, 0) AS proven_hits,
        everybody.proven_expected,
        0 AS chosen,
        coalesce(domains, 0) AS domains,
        coalesce(largest, struct_pack(proven_hits := 0, proven := 0)) AS largest
    FROM (SELECT DISTINCT place FROM groups WHERE place LIKE '"%') AS spoken
    CROSS JOIN everybody
    LEFT JOIN groups USING (place, hour)
)

SELECT mailbox AS place, * EXCLUDE (mailbox), 1 AS domains FROM single
UNION ALL BY NAME
SELECT
    place,
    hour,
    tried,
    hits,
    (proven - rest)::BIGINT AS proven,
    greatest(proven_hits - largest.proven_hits - greatest(chosen - 1, 0), 0)::BIGINT AS proven_hits,
    proven_expected * (proven - rest) / nullif(proven, 0) AS proven_expected,
    CASE WHEN domains >= $domains THEN domains ELSE 0 END AS domains
FROM (
    SELECT *, CASE WHEN domains = 0 THEN 0 ELSE largest.proven + greatest(chosen - 1, 0) END AS rest
    FROM (FROM groups WHERE place LIKE '#%' UNION ALL BY NAME FROM worded)
)
WHERE proven > rest;

CREATE OR REPLACE TEMP VIEW place_hours AS
SELECT place, hour, proven_hits AS hits, proven AS tried FROM mailbox_hours;
