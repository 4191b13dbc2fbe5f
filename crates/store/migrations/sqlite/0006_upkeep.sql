-- Written to find out whether the database takes changes.
CREATE TABLE write_probe (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    filler BLOB NOT NULL
) STRICT;
-- The last time that the server knew to be right, in milliseconds since 1970.
CREATE TABLE clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    last_known INTEGER NOT NULL
) STRICT;
-- What is recorded was recorded at a right time, as far as anybody knows.
INSERT INTO clock (id, last_known) SELECT 1, max(at) FROM audit HAVING max(at) IS NOT NULL;
