-- Count: what was said at each refusal, to how many, and how many of these took mail later. Tables: refusals, sends, mailboxes.

CREATE OR REPLACE TEMP TABLE refused_mail AS
SELECT refusals.mailbox, first_hour, sends.domain::VARCHAR AS domain, address, moment, reason::VARCHAR AS reason
FROM sends
JOIN mailboxes ON mailboxes.domain = sends.domain::VARCHAR
JOIN refusals ON refusals.mailbox = mailboxes.mailbox
WHERE rated AND outcome = 'bounced' AND date_trunc('hour', moment) BETWEEN first_hour AND last_hour;

CREATE OR REPLACE TEMP TABLE refusal_reasons AS
SELECT mailbox, first_hour, reason, count(*) AS n
FROM refused_mail
GROUP BY ALL;

CREATE OR REPLACE TEMP TABLE refusal_counts AS
SELECT
    mailbox,
    first_hour,
    min(refused_mail.moment) AS start,
    max(refused_mail.moment) AS "end",
    min(domain) AS domain,
    count(DISTINCT address) AS addresses,
    count(DISTINCT address) FILTER (accepted > refused_mail.moment) AS recovered
FROM refused_mail
LEFT JOIN (SELECT address, max(moment) AS accepted FROM sends WHERE outcome = 'delivered' GROUP BY address) AS taken
    USING (address)
GROUP BY mailbox, first_hour;
