-- Finish: mailboxes with an hour in which so many recipients are invalid; few have one. Table: invalid_hours.
-- Parameter: least.

CREATE OR REPLACE TEMP TABLE suspects AS
SELECT DISTINCT mailbox
FROM (SELECT mailbox FROM invalid_hours GROUP BY mailbox, hour HAVING sum(invalid) >= $least);
