-- Whom to contact, and what to write. Table: affected; views: events, with the addresses by their numbers; numbered, these
-- addresses; concerns, the reasons that belong to a state; listed, the addresses of a list by domain; texts, by state.
-- Parameters: failures; longest, of a reply; counted, whether there is a list.

WITH taken AS (
    SELECT events.address, max(timestamp) AS moment
    FROM events
    SEMI JOIN affected ON affected.domain = events.domain
    WHERE event = 'delivered'
    GROUP BY events.address
),
-- of addresses that have not taken mail since
responses AS (
    SELECT affected.domain, events.address, timestamp, row, reply_code, enhanced_code, trim(coalesce(diagnostic, '')) AS said
    FROM events
    JOIN affected ON affected.domain = events.domain
    JOIN concerns ON concerns.state = affected.state AND concerns.reason = events.reason
    LEFT JOIN taken ON taken.address = events.address
    WHERE event IN $failures AND (timestamp >= taken.moment) IS NOT FALSE
),
-- the last one with a text, for each domain
last_ones AS (
    FROM responses
    QUALIFY row_number() OVER (PARTITION BY domain ORDER BY said <> '' DESC, timestamp DESC NULLS LAST, row DESC) = 1
),
quoted AS (
    SELECT
        domain,
        concat_ws(
            ' ',
            CASE WHEN NOT contains(said, reply_code::VARCHAR) THEN reply_code::VARCHAR END,
            CASE WHEN NOT contains(said, enhanced_code) THEN enhanced_code END,
            -- the recipient's name also stands alone: "mailbox ann is over quota"; a short number may be a code
            CASE
                WHEN length(name) > 2 AND NOT regexp_full_match(name, '[0-9]{1,3}|[0-9]+[.][0-9.]+')
                THEN regexp_replace(
                    said,
                    '(?i)' || CASE WHEN name[1] ~ '\w' THEN '\b' ELSE '' END || regexp_escape(name)
                        || CASE WHEN name[-1] ~ '\w' THEN '\b' ELSE '' END,
                    '…',
                    'g'
                )
                ELSE said
            END
        ) AS reply
    FROM (
        SELECT
            last_ones.* REPLACE (
                -- the recipient first: its name may have signs that end others
                without_addresses(
                    CASE WHEN numbered.text IS NULL THEN said
                    ELSE regexp_replace(said, '(?i)<?' || regexp_escape(numbered.text) || '>?', '…', 'g') END
                ) AS said
            ),
            -- of "ann+news"@example.com: ann
            regexp_extract(numbered.text, '^"?(.+?)(?:[+].*)?"?@[^@]*$', 1) AS name
        FROM last_ones
        LEFT JOIN numbered USING (address)
    )
),
counts AS (
    SELECT domain, count(DISTINCT address) AS refused, strftime(min(timestamp), '%Y-%m-%d') AS since
    FROM responses
    GROUP BY domain
),
facts AS (
    SELECT
        affected.domain,
        affected.status,
        affected.state,
        registry_contact,
        CASE WHEN $counted THEN coalesce(listed.addresses, 0) ELSE affected.addresses END AS addresses,
        coalesce(nullif(refused, 0), nullif(listed.addresses, 0), affected.addresses) AS concerned,
        since,
        trim(left(regexp_replace(
            coalesce(nullif(quoted.reply, ''), without_addresses(affected.reply)),
            '[\s\x00-\x1f\x7f]+', ' ', 'g'
        ), $longest)) AS reply
    FROM affected
    LEFT JOIN counts USING (domain)
    LEFT JOIN quoted USING (domain)
    LEFT JOIN listed USING (domain)
)
SELECT
    domain,
    facts.addresses,
    status,
    CASE WHEN state <> 'gone' THEN 'postmaster@' || domain END AS postmaster,
    CASE WHEN state <> 'gone' THEN 'abuse@' || domain END AS abuse,
    registry_contact,
    replace(subject, '{domain}', domain) AS subject,
    replace(
        concat_ws(
            E'\n\n',
            hello,
            concat_ws(
                ' ',
                fact,
                CASE concerned
                    WHEN 0 THEN NULL
                    WHEN 1 THEN one
                    ELSE replace(many, '{addresses}', concerned::VARCHAR)
                END,
                replace(texts.since, '{since}', facts.since)
            ),
            texts.reply || E'\n' || nullif(facts.reply, ''),
            ask,
            thanks
        ),
        '{domain}',
        domain
    ) || E'\n' AS message
FROM facts
JOIN texts USING (state)
ORDER BY facts.addresses DESC, concerned DESC, domain
