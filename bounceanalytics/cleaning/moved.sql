-- The rows of two runs in; those out that are in another part, or in one of the lists only, with what is known of each.
-- Tables: before_rows, after_rows (row, part, address); before_lines, after_lines (of rows that were not kept).

CREATE OR REPLACE TEMP MACRO state(part, reason, code, decided_at) AS
    part || coalesce(
        ': ' || reason || coalesce(' (' || nullif(code, '') || ')', '')
        || coalesce(' on ' || strftime(decided_at, '%Y-%m-%d'), ''),
        ''
    );

-- Rows that repeat an address are told apart by their order.
CREATE OR REPLACE TEMP VIEW moved AS
WITH before_numbered AS (
    SELECT address, row, part, row_number() OVER (PARTITION BY address ORDER BY row) AS nth FROM before_rows
),
after_numbered AS (
    SELECT address, row, part, row_number() OVER (PARTITION BY address ORDER BY row) AS nth FROM after_rows
),
moved AS (
    SELECT
        coalesce(b.address, a.address) AS address,
        b.row AS row_before,
        a.row AS row_after,
        b.part::VARCHAR AS part_before,
        a.part::VARCHAR AS part_after
    FROM before_numbered AS b
    FULL JOIN after_numbered AS a USING (address, nth)
    WHERE b.part IS DISTINCT FROM a.part
),
told AS (
    SELECT
        moved.*,
        coalesce(a.domain, b.domain, nullif(regexp_extract(address, '@([^@]+)$', 1), '')) AS domain,
        b.reason AS reason_before,
        a.reason AS reason_after,
        state(part_before, b.reason, b.code, b.decided_at) AS state_before,
        state(part_after, a.reason, a.code, a.decided_at) AS state_after
    FROM moved
    LEFT JOIN before_lines AS b ON b.row = row_before
    LEFT JOIN after_lines AS a ON a.row = row_after
)
SELECT
    *,
    CASE
        WHEN row_before IS NULL THEN 'only in the second list, ' || state_after
        WHEN row_after IS NULL THEN 'only in the first list, ' || state_before
        ELSE 'was ' || state_before || ', now ' || state_after
    END AS why
FROM told
ORDER BY row_before NULLS LAST, row_after;
