-- Answers in; episodes out: from the first bounce of an address after it last took mail (or ever) until it takes mail
-- again, or until it was last tried. Table: answers. Placeholder: {gone}, the reasons that call an address gone.

CREATE OR REPLACE TEMP TABLE episodes AS
WITH life AS (SELECT address, moment, event FROM answers WHERE accepted),

placed AS (
    SELECT failures.*, life.moment AS accepted_before
    FROM (SELECT * FROM answers WHERE NOT accepted) AS failures
    ASOF LEFT JOIN life
        ON failures.address = life.address AND failures.moment >= life.moment
),

begun AS (
    SELECT
        address,
        min(struct_pack(moment, reason := coalesce(reason, 'unclassified'), mailbox_provider)) AS opening,
        min(moment) AS begin,
        max(moment) AS last_tried,
        min(moment) FILTER (removal OR reason IN {gone}) AS refused
    FROM placed
    GROUP BY address, accepted_before
)

SELECT
    begun.address,
    opening.reason AS reason,
    opening.mailbox_provider AS mailbox_provider,
    refused,
    life.moment AS accepted_again,
    life.event AS sign,
    accepted_again IS NOT NULL AS recovered,
    round(epoch(coalesce(accepted_again, last_tried) - begin) / 86400)::INTEGER AS day
FROM begun
ASOF LEFT JOIN life
    ON begun.address = life.address AND begun.begin < life.moment;
