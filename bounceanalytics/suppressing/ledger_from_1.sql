-- A ledger of version 1 (tables old_…), which knew the last verdict only, in the tables of today.
-- Each entry becomes one word, which any run that tells of the same moment replaces.

INSERT INTO known
SELECT
    key, first_seen, last_seen,
    CASE WHEN verdict = 'keep' AND NOT lifted THEN decided_at END,
    hashed AND (SELECT value = '0' FROM about WHERE name = 'hashed')
FROM old_entries;

INSERT INTO evidence (
    key, class, moment, known_from, known_to, up_to, weight, verdict, domain, reason, code, explanation, source, record,
    hold_until, review_on, fate
)
SELECT
    key,
    CASE
        WHEN told = 'remove' AND reason IN ('complained', 'unsubscribed') THEN reason
        WHEN told = 'remove' AND moment = -1 THEN 'listed'
        ELSE 'failed'
    END AS class,
    moment,
    CASE
        WHEN told = 'remove' AND (reason IN ('complained', 'unsubscribed') OR moment = -1) THEN -1
        ELSE coalesce(first_seen, 1 << 62)
    END,
    coalesce(last_seen, -1),
    -1,
    CASE
        WHEN told = 'hold' THEN coalesce(review_on, (1 << 61) - 1) -- the earlier of its retry and its end
        WHEN reason IN ('complained', 'unsubscribed') THEN 1 << 62
        ELSE 1 << 61
    END,
    told, domain, reason, code, explanation, source, record,
    CASE WHEN told = 'hold' THEN review_on END,
    review_on,
    fate
FROM (
    SELECT
        *,
        CASE WHEN verdict <> 'keep' THEN 'stands' WHEN lifted THEN 'lifted' ELSE 'cleared' END AS fate,
        -- of those who were kept since a sign of life, when they failed is not known any more
        coalesce(decided_at - (verdict = 'keep' AND NOT lifted), -1) AS moment,
        CASE
            WHEN verdict <> 'keep' THEN verdict
            ELSE coalesce(
                (
                    SELECT nullif(verdict_before, 'keep')
                    FROM old_changes
                    WHERE old_changes.key = old_entries.key
                    ORDER BY number DESC
                    LIMIT 1
                ),
                'remove'
            )
        END AS told
    FROM old_entries
);

INSERT INTO lifts
SELECT
    key,
    max(coalesce(decided_at, -1), coalesce(last_seen, -1)),
    coalesce((SELECT max(made_at) FROM old_changes WHERE old_changes.key = old_entries.key), 0),
    (SELECT why FROM old_changes WHERE old_changes.key = old_entries.key ORDER BY number DESC LIMIT 1)
FROM old_entries
WHERE lifted;

INSERT INTO changes SELECT * FROM old_changes;

INSERT INTO runs SELECT run, min(number) FROM old_changes WHERE run IS NOT NULL GROUP BY run;

INSERT INTO domains SELECT domain, first_full, last_full, last_delivered, 1 FROM old_full_domains;
