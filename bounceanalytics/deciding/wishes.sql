-- What recipients asked for, by row, and whether it stands. Views: events, wish_words (one row per column of a
-- word). Parameter: between, what does not tell words apart.
-- Of two opposite wishes the later counts. One without a time stands: nobody knows which was later.

CREATE OR REPLACE TEMP TABLE wishes AS
WITH asked AS (
    SELECT
        row, address, timestamp, coalesce(provider::VARCHAR, 'generic') AS provider, event::VARCHAR AS event,
        esp_type, esp_reason, esp_event,
        coalesce(suspect, false) AS suspect
    FROM events
    WHERE event IN ('complained', 'unsubscribed', 'dropped', 'suppressed', 'other') AND address IS NOT NULL
),

spoken AS (
    UNPIVOT (SELECT DISTINCT provider, event, esp_type, esp_reason, esp_event FROM asked)
    ON esp_type, esp_reason, esp_event
    INTO NAME word_column VALUE said
),

meant AS (
    SELECT DISTINCT
        spoken.*,
        words.wish,
        words.anew,
        words.starts AS named
    FROM (
        SELECT DISTINCT *, regexp_replace(lower(said), $between, '', 'g') AS plain
        FROM spoken
    ) AS spoken
    JOIN wish_words AS words
        ON words.provider = spoken.provider
        AND words.word_column = spoken.word_column
        AND words.event IN ('', spoken.event)
        AND CASE WHEN words.starts THEN starts_with(plain, words.word) ELSE plain = words.word END
),

told AS (
    SELECT
        asked.row, asked.address, asked.timestamp, asked.provider, asked.event, asked.suspect,
        coalesce(reasons.wish, types.wish, events.wish, asked.event) AS wish,
        coalesce(reasons.anew, types.anew, events.anew, false) AS anew,
        -- the group, topic or tag that it is about
        CASE
            WHEN reasons.named OR asked.event = 'suppressed' THEN esp_reason
            WHEN types.named OR events.wish IS NOT NULL THEN esp_type
        END AS scope
    FROM asked
    LEFT JOIN meant AS reasons
        ON reasons.word_column = 'esp_reason' AND reasons.said = esp_reason
        AND reasons.provider = asked.provider AND reasons.event = asked.event
    LEFT JOIN meant AS types
        ON types.word_column = 'esp_type' AND types.said = esp_type
        AND types.provider = asked.provider AND types.event = asked.event
    LEFT JOIN meant AS events
        ON events.word_column = 'esp_event' AND events.said = esp_event
        AND events.provider = asked.provider AND events.event = asked.event
    WHERE coalesce(reasons.wish, types.wish, events.wish) IS NOT NULL OR asked.event IN ('complained', 'unsubscribed')
),

taken_back AS (
    SELECT
        address,
        provider,
        max(timestamp) FILTER (anew) AS told_anew,
        max(timestamp) FILTER (wish = 'resubscribed' AND scope IS NULL) AS resubscribed,
        max(timestamp) FILTER (wish = 'resubscribed' AND scope IS NOT NULL) AS joined_one,
        arg_max(scope, timestamp) FILTER (wish = 'resubscribed' AND scope IS NOT NULL) AS joined
    FROM told
    WHERE anew OR wish = 'resubscribed'
    GROUP BY address, provider
),

joined_again AS (
    SELECT address, provider, scope, max(timestamp) AS moment
    FROM told
    WHERE wish = 'resubscribed'
    GROUP BY ALL
)

SELECT
    row,
    suspect,
    -- who left everything, and joined one group again, has left the rest
    CASE WHEN told.wish = 'unsubscribed' AND told.timestamp < joined_one THEN 'unsubscribed_partly' ELSE told.wish END AS wish,
    CASE
        WHEN told.wish = 'unsubscribed' AND told.timestamp < joined_one THEN 'everything but ' || joined
        WHEN told.wish = 'unsubscribed_partly' THEN told.scope
    END AS scope,
    CASE
        WHEN told.wish = 'complained' THEN true
        WHEN told.wish = 'resubscribed' OR coalesce(told.timestamp < told_anew, false) THEN false
        WHEN told.wish = 'unsubscribed' THEN NOT coalesce(told.timestamp < resubscribed, false)
        ELSE NOT coalesce(told.timestamp < joined_again.moment, false)
    END AS stands
FROM told
LEFT JOIN taken_back USING (address, provider)
LEFT JOIN joined_again
    ON joined_again.address = told.address AND joined_again.provider = told.provider AND joined_again.scope = told.scope;
