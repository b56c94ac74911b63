-- Responses in; episodes out: from the first bounce of an address after it last took mail (or ever) until it takes mail
-- again, or until it was last tried. Tables: responses, last_response. Parameters: invalid, the reasons that call a
-- recipient invalid; given_up, days before the end of the history in which an address that is still tried would have been.

CREATE OR REPLACE TEMP TABLE episodes AS
-- An open counts at the time at which its message was sent. Where that is unknown it may be of a letter from before the bounce,
-- and shows nothing.
WITH activity AS (
    SELECT address, moment, event
    FROM responses
    WHERE accepted AND (event = 'delivered' OR moment <> happened)
),

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
    NOT recovered AND last_tried < (SELECT moment FROM last_response) - to_days($given_up) AS no_longer_tried,
    round(epoch(coalesce(accepted_again, last_tried) - begin) / 86400)::INTEGER AS day
FROM begun
ASOF LEFT JOIN activity
    ON begun.address = activity.address AND begun.begin < activity.moment;
