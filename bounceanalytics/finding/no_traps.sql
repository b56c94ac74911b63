-- Nobody refused mail for so long. Table: responses.

CREATE OR REPLACE TEMP TABLE traps AS
SELECT address, moment AS silent_from, moment AS accepted_again FROM responses LIMIT 0;
