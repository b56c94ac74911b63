-- Finish: when the last response of all came. Table: last_responses.

CREATE OR REPLACE TEMP TABLE last_response AS SELECT max(moment) AS moment FROM last_responses;
