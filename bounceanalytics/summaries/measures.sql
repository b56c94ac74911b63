-- What is measured of messages, whatever they are grouped by: SELECT domain, unnest(counts(outcome, bounce_type, rated)) …
-- Words of outcomes and bounce types are those of the schema.

CREATE OR REPLACE TEMP MACRO counts(outcome, bounce_type, rated) AS struct_pack(
    attempted := count(*) FILTER (outcome IN ('delivered', 'bounced')),
    delivered := count(*) FILTER (outcome = 'delivered'),
    bounced := count(*) FILTER (outcome = 'bounced'),
    hard := count(*) FILTER (outcome = 'bounced' AND bounce_type = 'hard'),
    soft := count(*) FILTER (outcome = 'bounced' AND bounce_type = 'soft'),
    block := count(*) FILTER (outcome = 'bounced' AND bounce_type = 'block'),
    unknown := count(*) FILTER (outcome = 'bounced' AND bounce_type NOT IN ('hard', 'soft', 'block')),
    dropped := count(*) FILTER (outcome = 'dropped'),
    pending := count(*) FILTER (outcome = 'pending'),
    rated := count(*) FILTER (rated),
    rated_bounced := count(*) FILTER (rated AND outcome = 'bounced'),
    rated_hard := count(*) FILTER (rated AND outcome = 'bounced' AND bounce_type = 'hard')
);

CREATE OR REPLACE TEMP MACRO reach(domain, address) AS struct_pack(
    domains := count(DISTINCT domain),
    addresses := count(DISTINCT address)
);

CREATE OR REPLACE TEMP MACRO seen(moment) AS struct_pack(first_seen := min(moment), last_seen := max(moment));

-- The sums of a line through hard bounces over the days of the rated messages, for trends. Days are counted from 2020, to
-- avoid cancellation.
CREATE OR REPLACE TEMP MACRO days_of(moment) AS epoch(moment) / 86400 - 18262;

CREATE OR REPLACE TEMP MACRO course(moment, outcome, bounce_type, rated) AS struct_pack(
    t := sum(days_of(moment)) FILTER (rated),
    tt := sum(days_of(moment) * days_of(moment)) FILTER (rated),
    th := coalesce(sum(days_of(moment)) FILTER (rated AND outcome = 'bounced' AND bounce_type = 'hard'), 0),
    days := max(days_of(moment)) FILTER (rated) - min(days_of(moment)) FILTER (rated)
);

-- A message with several tags stands under each of them.
CREATE OR REPLACE TEMP VIEW tagged AS
SELECT sends.*, tag
FROM sends
JOIN (
    SELECT tags, unnest(list_distinct(coalesce(listed, [tags]))) AS tag
    FROM (SELECT tags, CASE WHEN tags LIKE '[%' THEN TRY(from_json(tags, '["VARCHAR"]')) END AS listed
          FROM (SELECT DISTINCT tags::VARCHAR AS tags FROM sends))
) USING (tags);
