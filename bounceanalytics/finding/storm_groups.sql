-- Finish: what each domain of its own has in common with others: its host ('#host'), else the words of its answers, in
-- quotation marks. A host is `known` that not only its refusals name. And the places: mailboxes, and such groups of them.
-- Tables: host_counts, mailboxes.

CREATE OR REPLACE TEMP TABLE hosts AS
SELECT
    mailbox,
    coalesce(arg_max(host, (n, host)) FILTER (host IS NOT NULL), arg_max(words, (n, words)) FILTER (words IS NOT NULL)) AS place,
    sum(otherwise) FILTER (host IS NOT NULL) > 0 AS known
FROM (SELECT mailbox, host, words, sum(n) AS n, sum(otherwise) AS otherwise FROM host_counts GROUP BY ALL)
GROUP BY mailbox
HAVING place <> 'own';

CREATE OR REPLACE TEMP TABLE places AS
SELECT DISTINCT mailbox, mailbox AS place FROM mailboxes
UNION ALL
SELECT mailbox, place FROM hosts;
