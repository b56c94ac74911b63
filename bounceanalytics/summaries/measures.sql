-- What is measured of messages, whatever they are grouped by: SELECT domain, unnest(counts(outcome, bounce_type, rated)) …
-- All of it adds up, where the addresses are spread over several histories, with measures_in_parts.sql.
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

-- The sums of a line through hard bounces over the time of the rated messages, for trends: whole minutes, which add up exactly,
-- from 2020, to avoid cancellation.
CREATE OR REPLACE TEMP MACRO minutes_of(moment) AS epoch_us(moment) // 60_000_000 - 26_297_280;

CREATE OR REPLACE TEMP MACRO course(moment, outcome, bounce_type, rated) AS struct_pack(
    t := sum(minutes_of(moment)) FILTER (rated),
    tt := sum(minutes_of(moment)::HUGEINT * minutes_of(moment)) FILTER (rated),
    th := coalesce(sum(minutes_of(moment)) FILTER (rated AND outcome = 'bounced' AND bounce_type = 'hard'), 0),
    rated_first := min(moment) FILTER (rated),
    rated_last := max(moment) FILTER (rated)
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
