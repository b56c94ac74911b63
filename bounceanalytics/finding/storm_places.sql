-- Finish: mailboxes with an hour in which so many recipients are invalid; few have one. '@' stands for all domains of their
-- own together, of which one host may run many. Table: invalid_hours. Parameters: least; domains.

CREATE OR REPLACE TEMP TABLE suspects AS
SELECT DISTINCT mailbox
FROM (SELECT mailbox FROM invalid_hours GROUP BY mailbox, hour HAVING sum(invalid) >= $least)
UNION ALL
SELECT DISTINCT '@'
FROM (
    SELECT hour
    FROM invalid_hours
    WHERE mailbox LIKE '@%'
    GROUP BY hour
    HAVING count(DISTINCT mailbox) >= $domains AND sum(invalid) >= $least
);
