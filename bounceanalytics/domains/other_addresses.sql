-- Other addresses of the people whose address is at an affected domain. Table: affected; view: listed, with key, address and
-- domain of each row of a mailing list that has all of them.

WITH people AS (SELECT DISTINCT key, address, domain FROM listed)
SELECT one.key, one.domain, one.address, other.address AS other_address
FROM people AS one
SEMI JOIN affected ON affected.domain = one.domain
JOIN (FROM people ANTI JOIN affected ON affected.domain = people.domain) AS other ON other.key = one.key
ORDER BY one.key, one.address, other.address
