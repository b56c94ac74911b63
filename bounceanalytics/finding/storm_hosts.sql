-- Count: which hosts take the mail of a domain of its own, by all its events, and the words in which they call recipients
-- invalid. View: events; table: mailboxes. Parameter: invalid, the reasons that call a recipient invalid.

CREATE OR REPLACE TEMP TABLE host_counts AS
WITH named AS (
    SELECT
        domain,
        mailbox,
        event = 'bounced' AND coalesce(action = 'remove' AND reason IN $invalid, false) AS invalid,
        reason,
        diagnostic,
        -- what was registered of a host's name; an IP address has none
        nullif(
            regexp_extract(
                rtrim(regexp_extract(lower(remote_host), '^[a-z0-9.-]+'), '.'),
                '(?:^|\.)([a-z0-9-]+\.(?:(?:ac|co|com|edu|gov|ne|net|or|org)\.[a-z]{2}|[a-z][a-z0-9-]+))$',
                1
            ),
            ''
        ) AS host
    FROM events
    JOIN mailboxes USING (domain)
    WHERE mailbox LIKE '@%'
)
SELECT
    mailbox,
    CASE
        WHEN domain = host OR ends_with(domain, '.' || host) THEN 'own'
        ELSE '#' || host
    END AS host,
    CASE
        WHEN invalid AND host IS NULL THEN '"' || left(
            coalesce(
                nullif(
                    trim(
                        regexp_replace(
                            regexp_replace(replace(lower(diagnostic), domain, ''), '\S*[0-9@]\S*', '', 'g'),
                            '[^\p{L}]+', ' ', 'g'
                        )
                    ),
                    ''
                ),
                replace(reason, '_', ' ')
            ),
            80
        ) || '"'
    END AS words,
    count(*) FILTER (NOT invalid) AS otherwise,
    count(*) AS n
FROM named
WHERE invalid OR host IS NOT NULL
GROUP BY ALL;
