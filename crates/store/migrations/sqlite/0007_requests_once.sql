-- A request with an idempotency key is recorded in the transaction of its change; its answer follows and may be missing.
CREATE TABLE requests (
    key         TEXT NOT NULL,
    who         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    -- Tells one attempt from another: one request may commit several transactions.
    attempt     TEXT NOT NULL,
    at          INTEGER NOT NULL,
    -- The id of the thing that was made.
    made        TEXT,
    status      INTEGER,
    body        TEXT,
    PRIMARY KEY (key, who),
    CHECK ((status IS NULL) = (body IS NULL))
) STRICT, WITHOUT ROWID;
INSERT INTO requests (key, who, fingerprint, attempt, at, status, body)
SELECT key, who, fingerprint, '', at, status, body FROM idempotency;
DROP TABLE idempotency;
ALTER TABLE requests RENAME TO idempotency;
CREATE INDEX idempotency_at ON idempotency (at);
