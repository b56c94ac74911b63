-- From when to when messages were sent. Table: sends.

CREATE OR REPLACE TEMP TABLE spans AS SELECT min(moment) AS first, max(moment) AS last FROM sends;
