-- What Offhook wrote to accounts that are no person's any more, or another person's, until Microsoft confirms that it is taken
-- back or drops it by itself. A write belongs to the account, whichever process removes the person or changes the account.
CREATE TABLE left_writes (
    tenant     TEXT NOT NULL,
    account    TEXT NOT NULL COLLATE NOCASE,
    slot       TEXT NOT NULL CHECK (slot IN ('session', 'preferred')),
    -- The person who had the account; may be removed.
    person     INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (tenant, account, slot)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER left_writes_before_delete BEFORE DELETE ON people
WHEN OLD.teams_id IS NOT NULL
BEGIN
    INSERT OR REPLACE INTO left_writes (tenant, account, slot, person, written_at, expires_at)
    SELECT OLD.teams_tenant, OLD.teams_id, slot, person, written_at, expires_at FROM teams_writes
    WHERE person = OLD.id AND cleared_at IS NULL AND yielded IS NULL;
END;

-- A person who is gone from the directory is removed from the running server too.
CREATE TRIGGER left_writes_before_update BEFORE UPDATE OF teams_id, teams_tenant, gone_at ON people
WHEN OLD.teams_id IS NOT NULL
 AND (OLD.teams_id IS NOT NEW.teams_id
   OR OLD.teams_tenant IS NOT NEW.teams_tenant
   OR (OLD.gone_at IS NULL AND NEW.gone_at IS NOT NULL))
BEGIN
    INSERT OR REPLACE INTO left_writes (tenant, account, slot, person, written_at, expires_at)
    SELECT OLD.teams_tenant, OLD.teams_id, slot, person, written_at, expires_at FROM teams_writes
    WHERE person = OLD.id AND cleared_at IS NULL AND yielded IS NULL;
    DELETE FROM teams_writes WHERE person = OLD.id;
END;
