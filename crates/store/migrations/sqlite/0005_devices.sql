-- Machines of people on which a desktop agent runs; of the secret only the hash.
CREATE TABLE devices (
    id TEXT PRIMARY KEY,
    person INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    hash BLOB NOT NULL UNIQUE,
    name TEXT NOT NULL,
    system TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX devices_person ON devices (person);
