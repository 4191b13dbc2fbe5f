-- People whose account is gone from the directory: kept for a while, for accounts come back.
ALTER TABLE people ADD COLUMN gone_at INTEGER;
-- Whoever was taken from the directory leaves with it; whoever was entered here stays.
ALTER TABLE people ADD COLUMN from_directory INTEGER NOT NULL DEFAULT 0 CHECK (from_directory IN (0, 1));
CREATE INDEX people_gone_at ON people (gone_at) WHERE gone_at IS NOT NULL;

-- Secrets that the server must be able to read again: sealed by it with a key that is not here.
CREATE TABLE sealed_secrets (
    name   TEXT PRIMARY KEY,
    -- Names the key, so that it can be changed.
    key    TEXT NOT NULL,
    sealed BLOB NOT NULL
) STRICT, WITHOUT ROWID;
