-- The tables of a ledger. Times are microseconds since 1970, UTC.
-- A key is an address in normal form, or the hash of one: in a hashed ledger, and of erased addresses (GDPR).

CREATE TABLE entries (
    key TEXT PRIMARY KEY,
    hashed INTEGER NOT NULL CHECK (hashed IN (0, 1)),
    domain TEXT NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('remove', 'hold', 'keep')),
    reason TEXT,
    code TEXT,
    explanation TEXT,
    source TEXT,
    record INTEGER,
    decided_at INTEGER,
    first_seen INTEGER,
    last_seen INTEGER,
    review_on INTEGER,
    lifted INTEGER NOT NULL DEFAULT 0 CHECK (lifted IN (0, 1)) -- by hand: what was known by then counts no more
) STRICT, WITHOUT ROWID;

CREATE INDEX entries_by_review ON entries (review_on) WHERE review_on IS NOT NULL;

-- What changed, and when: every entry can be followed back to its first day.
CREATE TABLE changes (
    number INTEGER PRIMARY KEY,
    key TEXT NOT NULL,
    made_at INTEGER NOT NULL,
    run TEXT,
    verdict_before TEXT,
    verdict TEXT NOT NULL,
    reason TEXT,
    why TEXT
) STRICT;

CREATE INDEX changes_by_key ON changes (key);

-- Domains that had no room (5.3.1), from when to when, and when they last took mail.
CREATE TABLE full_domains (
    domain TEXT PRIMARY KEY,
    first_full INTEGER,
    last_full INTEGER,
    last_delivered INTEGER
) STRICT, WITHOUT ROWID;
