-- No row lies in a storm, where there is none.

CREATE OR REPLACE TEMP TABLE in_storm (row BIGINT);
