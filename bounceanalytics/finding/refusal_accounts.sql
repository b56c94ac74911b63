-- One row per refusal of enough addresses, for a sentence. Tables: refusals.sql, sends. Parameter: least, addresses.

SELECT
    refusals.mailbox,
    refusals.tried,
    refusals.refused,
    refusals.usual_share,
    start,
    "end",
    addresses,
    domain,
    top_reason,
    coalesce(recovered, 0) AS recovered
FROM refusals
JOIN (
    SELECT
        mailbox,
        first_hour,
        min(moment) AS start,
        max(moment) AS "end",
        count(DISTINCT address) AS addresses,
        any_value(domain) AS domain,
        mode(reason ORDER BY reason) AS top_reason
    FROM refused_mail
    GROUP BY mailbox, first_hour
    HAVING addresses >= $least
) AS told USING (mailbox, first_hour)
LEFT JOIN (
    SELECT mailbox, first_hour, count(DISTINCT address) AS recovered
    FROM refused_mail
    JOIN (SELECT address, max(moment) AS accepted FROM sends WHERE outcome = 'delivered' GROUP BY address) AS taken
        USING (address)
    WHERE accepted > refused_mail.moment
    GROUP BY mailbox, first_hour
) AS back USING (mailbox, first_hour)
ORDER BY start, mailbox
