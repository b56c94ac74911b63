-- Verdicts in (tables news and deliveries), the ledger brought up to date; see Ledger.update for what the words mean.
-- Parameters: made_at, run.

-- What the news mean for each entry: the first that fits.
CREATE TEMP TABLE outcomes AS
SELECT
    news.key,
    entries.verdict AS verdict_before,
    CASE
        WHEN entries.key IS NULL AND news.verdict = 'keep' THEN 'passed'
        WHEN entries.key IS NULL THEN 'added'
        -- what somebody has lifted stays so, whatever was known by then
        WHEN entries.lifted AND coalesce(news.decided_at, -1) <= coalesce(entries.decided_at, -1) THEN 'older'
        -- a wish stays until somebody lifts it; nothing but another wish changes it
        WHEN entries.verdict = 'remove' AND entries.reason IN ('complained', 'unsubscribed')
            AND NOT (news.verdict = 'remove' AND coalesce(news.reason, '') IN ('complained', 'unsubscribed'))
            THEN 'confirmed'
        -- who is removed for a wish now is removed, whatever else is known and however long ago it was
        WHEN news.verdict = 'remove' AND news.reason IN ('complained', 'unsubscribed')
            AND NOT (entries.verdict = 'remove' AND entries.reason IN ('complained', 'unsubscribed'))
            THEN 'changed'
        -- an undated entry of a suppression list stands until somebody lifts it
        WHEN entries.decided_at IS NULL AND entries.verdict = 'remove' AND news.verdict <> 'remove' THEN 'confirmed'
        WHEN news.verdict = 'keep' AND entries.verdict = 'keep' THEN 'passed'
        -- less severe: only a sign of life after the evidence, or who knows all of the evidence and thinks otherwise
        WHEN news.verdict = 'keep' OR (news.verdict = 'hold' AND entries.verdict = 'remove')
            THEN CASE
                WHEN news.alive >= coalesce(entries.decided_at, -1)
                    OR (news.decided_at = entries.decided_at AND news.first_seen <= entries.first_seen)
                    THEN CASE news.verdict WHEN 'keep' THEN 'lifted' ELSE 'changed' END
                ELSE 'older'
            END
        -- older than what the ledger knows
        WHEN coalesce(news.decided_at, -1) < coalesce(entries.decided_at, -1) THEN 'older'
        WHEN news.verdict = entries.verdict AND news.reason IS entries.reason THEN 'confirmed'
        ELSE 'changed'
    END AS outcome
FROM news
LEFT JOIN entries USING (key);

INSERT INTO changes (key, made_at, run, verdict_before, verdict, reason, why)
SELECT key, :made_at, :run, verdict_before, news.verdict, news.reason, news.explanation
FROM outcomes
JOIN news USING (key)
WHERE outcome IN ('added', 'changed', 'lifted')
ORDER BY key;

INSERT INTO entries
SELECT
    key, hashed, domain, verdict, reason, code, explanation, source, record, decided_at, first_seen, last_seen,
    review_on, 0
FROM news
WHERE key IN (SELECT key FROM outcomes WHERE outcome IN ('added', 'changed', 'lifted', 'confirmed', 'older'))
ON CONFLICT (key) DO UPDATE SET
    first_seen = coalesce(min(entries.first_seen, excluded.first_seen), entries.first_seen, excluded.first_seen),
    last_seen = coalesce(max(entries.last_seen, excluded.last_seen), entries.last_seen, excluded.last_seen);

UPDATE entries
SET
    verdict = news.verdict,
    reason = news.reason,
    code = news.code,
    explanation = news.explanation,
    source = news.source,
    record = news.record,
    decided_at = CASE news.verdict WHEN 'keep' THEN coalesce(news.alive, news.decided_at) ELSE news.decided_at END,
    review_on = news.review_on,
    lifted = 0
FROM news
JOIN outcomes USING (key)
WHERE entries.key = news.key AND outcome IN ('changed', 'lifted');

-- The same again: later evidence of it, but a review date that somebody has set stays.
UPDATE entries
SET
    code = news.code,
    explanation = news.explanation,
    source = news.source,
    record = news.record,
    review_on = news.review_on,
    decided_at = news.decided_at
FROM news
JOIN outcomes USING (key)
WHERE
    entries.key = news.key
    AND outcome = 'confirmed'
    AND news.verdict = entries.verdict
    AND news.reason IS entries.reason
    AND coalesce(news.decided_at, -1) > coalesce(entries.decided_at, -1);

INSERT INTO full_domains (domain, first_full, last_full)
SELECT domain, min(decided_at), max(decided_at)
FROM news
WHERE reason = 'system_full' AND verdict <> 'keep'
GROUP BY domain
ON CONFLICT (domain) DO UPDATE SET
    first_full = coalesce(min(full_domains.first_full, excluded.first_full), full_domains.first_full, excluded.first_full),
    last_full = coalesce(max(full_domains.last_full, excluded.last_full), full_domains.last_full, excluded.last_full);

UPDATE full_domains
SET last_delivered = max(coalesce(last_delivered, delivered), delivered)
FROM deliveries
WHERE deliveries.domain = full_domains.domain;
