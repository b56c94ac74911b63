-- The day from which each held address is likely to take mail again. Views: verdicts, retries (retry_days).

SELECT
    address,
    coalesce(near.retry_days, anywhere.retry_days)::INTEGER AS days,
    date_trunc('day', decided_at + to_days(days)) AS retry_on
FROM verdicts
LEFT JOIN retries AS near USING (reason, mailbox_provider)
LEFT JOIN retries AS anywhere ON anywhere.reason = verdicts.reason AND anywhere.mailbox_provider = 'all'
WHERE verdict = 'hold'
