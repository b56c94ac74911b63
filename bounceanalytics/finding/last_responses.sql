-- Count: when the last response came. Table: responses.

CREATE OR REPLACE TEMP TABLE last_responses AS SELECT max(moment) AS moment FROM responses;
