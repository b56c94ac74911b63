-- Addresses that took mail after a long silence, and have read nothing since. Tables: episodes, responses.
-- Parameter: days of silence.

CREATE OR REPLACE TEMP TABLE traps AS
SELECT address, max(refused) AS silent_from, max(accepted_again) AS accepted_again
FROM episodes
WHERE
    accepted_by = 'delivered'
    AND accepted_again > refused + to_days($days)
    AND NOT EXISTS (
        FROM responses
        WHERE
            responses.address = episodes.address
            AND responses.moment >= accepted_again
            AND event IN ('opened', 'clicked')
    )
GROUP BY address;
