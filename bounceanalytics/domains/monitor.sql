-- The tables of a monitor of domains. Times are microseconds since 1970, UTC; days are days since then.
-- What is told is kept so that telling it again, in any order, changes nothing: earliest, latest and largest values, and
-- sets of days. What follows for a domain is concluded when it is asked for.

-- Refusals of a day: `full` (x.3.1), `bad_domain` (its name led nowhere), `network` (nobody answered), `refused` (whatever else
-- speaks of more than one mailbox) and `hard` (of one mailbox, for good).
CREATE TABLE refusals (
    domain TEXT NOT NULL,
    host TEXT NOT NULL, -- empty where it is not known
    day INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('full', 'bad_domain', 'network', 'refused', 'hard')),
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    bounces INTEGER NOT NULL,
    addresses INTEGER NOT NULL,
    PRIMARY KEY (domain, host, day, kind)
) STRICT, WITHOUT ROWID;

CREATE INDEX refusals_of_domains ON refusals (kind, domain) WHERE kind <> 'hard';

-- Mail that was taken: of 32 days each, a bit for every day.
CREATE TABLE accepted (
    domain TEXT NOT NULL,
    host TEXT NOT NULL,
    block INTEGER NOT NULL,
    days INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    PRIMARY KEY (domain, host, block)
) STRICT, WITHOUT ROWID;

-- What checks found.
CREATE TABLE checks (
    domain TEXT NOT NULL,
    checked_at INTEGER NOT NULL,
    status TEXT NOT NULL,
    basis TEXT,
    missing INTEGER NOT NULL CHECK (missing IN (-1, 0, 1)), -- it does not exist, it does, or neither is known
    explanation TEXT NOT NULL,
    advice TEXT NOT NULL,
    PRIMARY KEY (domain, checked_at)
) STRICT, WITHOUT ROWID;

-- Domains that somebody wants to be watched, or not to be, whatever became of mail to them.
CREATE TABLE wishes (
    domain TEXT PRIMARY KEY,
    wanted INTEGER NOT NULL CHECK (wanted IN (0, 1)),
    made_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What was known of watched domains last, and how that came about.
CREATE TABLE known (
    domain TEXT PRIMARY KEY,
    status TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
    number INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    domain TEXT NOT NULL,
    known_at INTEGER NOT NULL,
    before TEXT,
    after TEXT,
    since INTEGER,
    explanation TEXT
) STRICT;

CREATE TABLE runs (
    run INTEGER PRIMARY KEY,
    made_at INTEGER NOT NULL
) STRICT;

-- Days on which a whole domain was in trouble: no mail was taken on them, or its mail system was full.
CREATE VIEW troubles AS
SELECT domain, kind, min(first) AS first, max(last) AS last
FROM refusals
WHERE kind <> 'hard'
GROUP BY domain, kind, day
HAVING
    kind = 'full'
    OR (
        (kind <> 'refused' OR sum(addresses) >= 3)
        AND NOT EXISTS (
            SELECT 1
            FROM accepted
            WHERE
                accepted.domain = refusals.domain
                AND accepted.block = refusals.day / 32
                AND (accepted.days >> (refusals.day % 32)) & 1
        )
    );

CREATE VIEW watched AS
SELECT domain, min(since) AS since
FROM (
    SELECT domain, first AS since FROM troubles
    UNION ALL
    SELECT domain, made_at FROM wishes WHERE wanted
)
WHERE domain NOT IN (SELECT domain FROM wishes WHERE NOT wanted)
GROUP BY domain;
