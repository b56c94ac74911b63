-- The tables of a cache of domains. Times are microseconds since 1970, UTC.

-- What was found out of a domain, and by which means: 'dns', 'dns greeting', 'dns rdap' ...
CREATE TABLE finished (
    domain TEXT NOT NULL,
    means TEXT NOT NULL,
    checked_at INTEGER NOT NULL,
    certain INTEGER NOT NULL CHECK (certain IN (0, 1)),
    facts TEXT NOT NULL,
    PRIMARY KEY (domain, means)
) STRICT, WITHOUT ROWID;

-- Since when a domain is said not to exist, without a word to the contrary in between.
CREATE TABLE missing (
    domain TEXT PRIMARY KEY,
    first_missing INTEGER NOT NULL,
    last_missing INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
