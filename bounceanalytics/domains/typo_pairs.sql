-- Domains of which one may be the other one mistyped; it is looked at both of them afterwards. Tables: typo_suspects,
-- typo_targets; views: readable (domain, its text) of those that are written otherwise than read, alike (domain, suggestion).

-- Two texts of which one becomes the other by one sign more, less, else, or by a swap share a text when each lacks one sign
-- or none. This also holds for some that differ more.
CREATE OR REPLACE TEMP MACRO with_one_less(text) AS
    list_distinct(list_transform(range(0, length(text) + 1), lambda sign:
        CASE WHEN sign = 0 THEN text ELSE concat(substr(text, 1, sign - 1), substr(text, sign + 1)) END));

CREATE OR REPLACE TEMP TABLE typo_pairs AS
WITH suspects AS (
    SELECT domain, unnest(with_one_less(coalesce(text, domain))) AS rest FROM typo_suspects LEFT JOIN readable USING (domain)
),
targets AS (
    SELECT domain, unnest(with_one_less(coalesce(text, domain))) AS rest FROM typo_targets LEFT JOIN readable USING (domain)
)
SELECT suspects.domain, targets.domain AS suggestion FROM suspects JOIN targets USING (rest)
UNION
SELECT domain, suggestion FROM alike SEMI JOIN typo_suspects USING (domain);
