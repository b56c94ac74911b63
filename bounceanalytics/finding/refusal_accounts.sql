-- One row per refusal of enough addresses, for a sentence. Tables: refusals, refusal_counts, refusal_reasons. Parameter: least,
-- addresses.

SELECT mailbox, tried, refused, usual_share, start, "end", addresses, domain, top_reason, recovered
FROM refusals
JOIN (
    SELECT
        mailbox,
        first_hour,
        min(start) AS start,
        max("end") AS "end",
        min(domain) AS domain,
        sum(refusal_counts.addresses)::BIGINT AS addresses,
        sum(recovered)::BIGINT AS recovered
    FROM refusal_counts
    GROUP BY mailbox, first_hour
    HAVING sum(refusal_counts.addresses) >= $least
) AS told USING (mailbox, first_hour)
JOIN (
    SELECT mailbox, first_hour, arg_min(reason, (-n, reason)) AS top_reason
    FROM (SELECT mailbox, first_hour, reason, sum(n) AS n FROM refusal_reasons GROUP BY ALL)
    GROUP BY mailbox, first_hour
) AS said USING (mailbox, first_hour)
ORDER BY start, mailbox
