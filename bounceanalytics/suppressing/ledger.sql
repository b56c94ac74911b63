-- The tables of a ledger, and the views that make its entries of them. Times are microseconds since 1970, UTC.
-- A key is an address in normal form, or the hash of one: in a hashed ledger, and of erased addresses (GDPR).

-- Everybody whom an update told of.
CREATE TABLE known (
    key TEXT PRIMARY KEY,
    first_seen INTEGER,
    last_seen INTEGER,
    alive INTEGER, -- the last sign of life: failures before it count no more
    erased INTEGER NOT NULL DEFAULT 0 CHECK (erased IN (0, 1))
) STRICT, WITHOUT ROWID;

CREATE INDEX known_erased ON known (key) WHERE erased;

-- What was told: words on moments. The last two columns are what ledger_judge.sql makes of all words on a key.
CREATE TABLE evidence (
    key TEXT NOT NULL,
    class TEXT NOT NULL CHECK (class IN ('complained', 'failed', 'listed', 'manual', 'unsubscribed')),
    moment INTEGER NOT NULL, -- -1: nobody knows when
    number INTEGER NOT NULL DEFAULT 0, -- of several words on one moment
    known_from INTEGER NOT NULL, -- from where to where the run knew the address
    known_to INTEGER NOT NULL,
    up_to INTEGER NOT NULL, -- the last event of the whole run
    weight INTEGER NOT NULL, -- 0 for what keeps, the end of a hold, most for what removes
    verdict TEXT NOT NULL CHECK (verdict IN ('remove', 'hold', 'keep')),
    domain TEXT NOT NULL,
    reason TEXT,
    code TEXT,
    explanation TEXT,
    source TEXT,
    record INTEGER,
    hold_until INTEGER,
    review_on INTEGER,
    content TEXT GENERATED ALWAYS AS ( -- so that of two words on the same one always comes first
        coalesce(reason, '') || char(31) || coalesce(code, '') || char(31) || coalesce(source, '') || char(31)
        || coalesce(record, '') || char(31) || coalesce(explanation, '') || char(31) || coalesce(review_on, '')
    ) VIRTUAL,
    fate TEXT NOT NULL DEFAULT 'stands' CHECK (fate IN ('stands', 'lifted', 'cleared', 'outdone')),
    decides INTEGER NOT NULL DEFAULT 1 CHECK (decides IN (0, 1)), -- the one of its key that is the entry
    PRIMARY KEY (key, class, moment, number)
) STRICT, WITHOUT ROWID;

-- What somebody took off: all that was told of moments up to this one, and all manual entries made before.
CREATE TABLE lifts (
    key TEXT PRIMARY KEY,
    up_to INTEGER NOT NULL,
    made_at INTEGER NOT NULL,
    why TEXT
) STRICT, WITHOUT ROWID;

-- Review dates that somebody has set; later evidence brings its own.
CREATE TABLE reviews (
    key TEXT PRIMARY KEY,
    up_to INTEGER NOT NULL,
    review_on INTEGER
) STRICT, WITHOUT ROWID;

-- The entry of everybody who was ever to be removed or held.
CREATE VIEW entries AS
SELECT
    one.key,
    known.erased,
    one.domain,
    iif(one.fate = 'stands', one.verdict, 'keep') AS verdict,
    one.reason,
    one.code,
    CASE one.fate
        WHEN 'stands' THEN one.explanation
        WHEN 'lifted' THEN 'Kept: taken off by hand' || coalesce(' (' || lifts.why || ')', '') || '.'
        WHEN 'cleared' THEN
            'Kept: there was a sign of life on ' || date(known.alive / 1000000, 'unixepoch')
            || ', after what spoke against it.'
        ELSE 'Kept: a run that knew as much decided otherwise.'
    END AS explanation,
    one.source,
    one.record,
    iif(one.fate = 'cleared', known.alive, nullif(one.moment, -1)) AS decided_at,
    known.first_seen,
    known.last_seen,
    iif(one.fate = 'stands', one.hold_until, NULL) AS hold_until,
    CASE
        WHEN one.fate <> 'stands' THEN NULL
        WHEN reviews.up_to >= one.moment THEN reviews.review_on
        ELSE one.review_on
    END AS review_on,
    one.moment
FROM evidence AS one
JOIN known USING (key)
LEFT JOIN lifts USING (key)
LEFT JOIN reviews USING (key)
WHERE one.decides;

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

-- The runs that have a name, and the number of the first change since then.
CREATE TABLE runs (
    run TEXT PRIMARY KEY,
    first_change INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When domains had no room (5.3.1), and when they last took mail; not all of them ever had none.
CREATE TABLE domains (
    domain TEXT PRIMARY KEY,
    first_full INTEGER,
    last_full INTEGER,
    last_delivered INTEGER,
    was_full INTEGER NOT NULL CHECK (was_full IN (0, 1))
) STRICT, WITHOUT ROWID;
