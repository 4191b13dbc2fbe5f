-- Times are milliseconds since 1970-01-01T00:00:00Z. Secrets are stored as SHA-256 hashes only.

CREATE TABLE people (
    id                  INTEGER PRIMARY KEY AUTOINCREMENT,
    name                TEXT NOT NULL,
    mail                TEXT NOT NULL COLLATE NOCASE,
    user_principal_name TEXT NOT NULL COLLATE NOCASE,
    -- Entra object id: the only name that Graph's presence calls take. Kept once found.
    teams_id            TEXT UNIQUE COLLATE NOCASE
) STRICT;

-- A person is found again by sign-in name or, without one, by mail.
CREATE UNIQUE INDEX people_user_principal_name ON people (user_principal_name) WHERE user_principal_name <> '';
CREATE UNIQUE INDEX people_mail ON people (mail) WHERE mail <> '';

CREATE TABLE lines (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    person    INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    extension TEXT NOT NULL UNIQUE
) STRICT;
CREATE INDEX lines_person ON lines (person);

CREATE TABLE choices (
    person        INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    profile       TEXT NOT NULL,
    since         INTEGER NOT NULL,
    until         INTEGER
) STRICT;

-- Appointments of Teams calls.
CREATE TABLE teams_calls (
    person       INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    since        INTEGER NOT NULL,
    confirmed_at INTEGER NOT NULL
) STRICT;

-- What Offhook wrote to Teams and what may still be in force there. Committed before the request is sent.
CREATE TABLE teams_writes (
    person       INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    slot         TEXT NOT NULL CHECK (slot IN ('session', 'preferred')),
    written_at   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    acknowledged INTEGER NOT NULL,
    cleared_at   INTEGER,
    yielded      TEXT,
    PRIMARY KEY (person, slot)
) STRICT, WITHOUT ROWID;

CREATE TABLE settings (
    scope TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (scope, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
    hash       BLOB PRIMARY KEY,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- One-time links that open the board, and the cookies that they were exchanged for.
CREATE TABLE sign_in_links (
    hash       BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE sessions (
    hash       BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
