-- Responses in; episodes out: from the first bounce of an address after it last took mail (or ever) until it takes mail
-- again, or until it was last tried. Table: responses. Parameter: invalid, the reasons that call a recipient invalid.

CREATE OR REPLACE TEMP TABLE episodes AS
WITH activity AS (SELECT address, moment, event FROM responses WHERE accepted),

placed AS (
    SELECT failures.*, activity.moment AS accepted_before
    FROM (SELECT * FROM responses WHERE NOT accepted) AS failures
    ASOF LEFT JOIN activity
        ON failures.address = activity.address AND failures.moment >= activity.moment
),

begun AS (
    SELECT
        address,
        min(struct_pack(moment, reason := coalesce(reason, 'unclassified'), mailbox_provider)) AS opening,
        min(moment) AS begin,
        max(moment) AS last_tried,
        min(moment) FILTER (removal OR reason IN $invalid) AS refused
    FROM placed
    GROUP BY address, accepted_before
)

SELECT
    begun.address,
    opening.reason AS reason,
    opening.mailbox_provider AS mailbox_provider,
    refused,
    activity.moment AS accepted_again,
    activity.event AS accepted_by,
    accepted_again IS NOT NULL AS recovered,
    round(epoch(coalesce(accepted_again, last_tried) - begin) / 86400)::INTEGER AS day
FROM begun
ASOF LEFT JOIN activity
    ON begun.address = activity.address AND begun.begin < activity.moment;
