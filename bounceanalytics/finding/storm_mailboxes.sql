-- Finish: what the attempts at each mailbox add up to by the hour. What the export does not cover is left out; what bounced
-- as the relay was broken says nothing about mailboxes. Tables: hour_counts, sender_hours; view: broken.
-- Parameters: ordinary, the share of addresses that is invalid at once; decay, more for each month.

CREATE OR REPLACE TEMP TABLE mailbox_hours AS
SELECT
    mailbox,
    hour,
    sum(hour_counts.tried)::BIGINT AS tried,
    sum(hits)::BIGINT AS hits,
    sum(proven)::BIGINT AS proven,
    sum(proven_hits)::BIGINT AS proven_hits,
    $ordinary * sum(proven) + $decay * sum(proven_since) / (30 * 86400 * 1000.0) AS proven_expected,
    sum(fresh)::BIGINT AS fresh,
    sum(fresh_hits)::BIGINT AS fresh_hits
FROM hour_counts
JOIN sender_hours USING (provider, hour)
ANTI JOIN broken USING (provider, hour)
WHERE covered
GROUP BY mailbox, hour;
