-- Scopes and their settings, templates, personal profiles, appointments, relationships, accounts, audit, history.
-- Names that people give are unique without case and surrounding blanks: `key` is the name in that form.

-- The tree organisation > location > configuration group. The organisation is the root and always there.
CREATE TABLE scopes (
    id     TEXT PRIMARY KEY,
    kind   TEXT NOT NULL CHECK (kind IN ('organisation', 'location', 'group')),
    parent TEXT REFERENCES scopes (id),
    name   TEXT NOT NULL,
    key    TEXT NOT NULL,
    CHECK ((kind = 'organisation') = (parent IS NULL)),
    UNIQUE (parent, key)
) STRICT;
INSERT INTO scopes (id, kind, parent, name, key)
VALUES ('organisation', 'organisation', NULL, 'Organisation', 'organisation');

ALTER TABLE people ADD COLUMN location TEXT REFERENCES scopes (id);
ALTER TABLE people ADD COLUMN configuration_group TEXT REFERENCES scopes (id);
CREATE INDEX people_location ON people (location) WHERE location IS NOT NULL;
CREATE INDEX people_configuration_group ON people (configuration_group) WHERE configuration_group IS NOT NULL;

-- Settings pages: what a scope says itself, as JSON; what it does not say comes from above.
CREATE TABLE pages (
    scope TEXT NOT NULL REFERENCES scopes (id) ON DELETE CASCADE,
    page  TEXT NOT NULL,
    value TEXT NOT NULL CHECK (json_valid(value)),
    PRIMARY KEY (scope, page)
) STRICT, WITHOUT ROWID;
INSERT INTO pages (scope, page, value)
SELECT 'organisation', 'teams', json_object('mode', value)
FROM settings WHERE scope = 'organisation' AND name = 'teams.mode';
DELETE FROM settings WHERE name = 'teams.mode';

CREATE TABLE own_values (
    person INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    page   TEXT NOT NULL,
    value  TEXT NOT NULL CHECK (json_valid(value)),
    PRIMARY KEY (person, page)
) STRICT, WITHOUT ROWID;

-- Central templates, in the administrator's order.
CREATE TABLE templates (
    key        TEXT PRIMARY KEY,
    name       TEXT NOT NULL,
    status     TEXT NOT NULL,
    forwarding TEXT NOT NULL,
    target     TEXT,
    text       TEXT,
    active     INTEGER NOT NULL,
    position   INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE template_offers (
    template TEXT NOT NULL REFERENCES templates (key) ON DELETE CASCADE,
    scope    TEXT NOT NULL REFERENCES scopes (id),
    PRIMARY KEY (template, scope)
) STRICT, WITHOUT ROWID;
CREATE INDEX template_offers_scope ON template_offers (scope);

CREATE TABLE template_people (
    template TEXT NOT NULL REFERENCES templates (key) ON DELETE CASCADE,
    person   INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (template, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX template_people_person ON template_people (person);

INSERT INTO templates (key, name, status, forwarding, active, position) VALUES
    ('available',      'Available',      'Available',    'off', 1, 0),
    ('busy',           'Busy',           'Busy',         'off', 1, 1),
    ('be right back',  'Be right back',  'BeRightBack',  'off', 1, 2),
    ('do not disturb', 'Do not disturb', 'DoNotDisturb', 'off', 1, 3),
    ('absent',         'Absent',         'Absent',       'off', 1, 4),
    ('appointment',    'Appointment',    'Busy',         'off', 1, 5);
INSERT INTO template_offers (template, scope) SELECT key, 'organisation' FROM templates;

CREATE TABLE personal_profiles (
    person     INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    key        TEXT NOT NULL,
    name       TEXT NOT NULL,
    status     TEXT NOT NULL,
    forwarding TEXT NOT NULL,
    target     TEXT,
    text       TEXT,
    position   INTEGER NOT NULL,
    PRIMARY KEY (person, key)
) STRICT, WITHOUT ROWID;

-- The order of My Profiles: names of templates and of personal profiles, as a JSON array.
CREATE TABLE profile_orders (
    person INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    names  TEXT NOT NULL CHECK (json_valid(names))
) STRICT;

CREATE TABLE appointments (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    person    INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    starts_at INTEGER NOT NULL,
    ends_at   INTEGER NOT NULL CHECK (ends_at > starts_at),
    text      TEXT NOT NULL,
    colour    TEXT NOT NULL,
    profile   TEXT NOT NULL,
    fallback  TEXT NOT NULL,
    private   INTEGER NOT NULL,
    origin    TEXT NOT NULL CHECK (origin IN ('manual', 'calendar'))
) STRICT;
CREATE INDEX appointments_person ON appointments (person, ends_at);
CREATE INDEX appointments_ends_at ON appointments (ends_at);

-- What the owner lets the viewer see, by the owner's own word.
CREATE TABLE relationships (
    owner  INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    viewer INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    level  TEXT NOT NULL,
    PRIMARY KEY (owner, viewer)
) STRICT, WITHOUT ROWID;
CREATE INDEX relationships_viewer ON relationships (viewer);

CREATE TABLE workgroups (
    id    INTEGER PRIMARY KEY AUTOINCREMENT,
    name  TEXT NOT NULL,
    key   TEXT NOT NULL UNIQUE,
    level TEXT NOT NULL
) STRICT;

CREATE TABLE workgroup_members (
    workgroup INTEGER NOT NULL REFERENCES workgroups (id) ON DELETE CASCADE,
    person    INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (workgroup, person)
) STRICT, WITHOUT ROWID;
CREATE INDEX workgroup_members_person ON workgroup_members (person);

CREATE TABLE accounts (
    id            INTEGER PRIMARY KEY AUTOINCREMENT,
    name          TEXT NOT NULL,
    key           TEXT NOT NULL UNIQUE,
    -- Of the server's slow hash; without one the account signs in by other means only.
    password_hash TEXT,
    person        INTEGER REFERENCES people (id) ON DELETE CASCADE,
    role          TEXT NOT NULL CHECK (role IN ('person', 'location_admin', 'system_admin')),
    location      TEXT REFERENCES scopes (id),
    created_at    INTEGER NOT NULL,
    CHECK ((role = 'location_admin') = (location IS NOT NULL))
) STRICT;
CREATE INDEX accounts_person ON accounts (person) WHERE person IS NOT NULL;
CREATE INDEX accounts_location ON accounts (location) WHERE location IS NOT NULL;

-- Without an account they are the installation's administrator's, made on its own command line.
ALTER TABLE sign_in_links ADD COLUMN account INTEGER REFERENCES accounts (id) ON DELETE CASCADE;
ALTER TABLE sessions ADD COLUMN account INTEGER REFERENCES accounts (id) ON DELETE CASCADE;
CREATE INDEX sign_in_links_account ON sign_in_links (account) WHERE account IS NOT NULL;
CREATE INDEX sessions_account ON sessions (account) WHERE account IS NOT NULL;

-- The keys so far could do everything, and still can.
CREATE TABLE named_api_keys (
    id         TEXT PRIMARY KEY,
    hash       BLOB NOT NULL UNIQUE,
    name       TEXT NOT NULL,
    -- Separated by blanks.
    scopes     TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO named_api_keys (id, hash, name, scopes, created_at)
SELECT lower(hex(randomblob(8))), hash, 'API key', 'read write admin', created_at FROM api_keys;
DROP TABLE api_keys;
ALTER TABLE named_api_keys RENAME TO api_keys;

-- Who changed what. Rows are only ever added, and dropped as a whole when they are too old.
CREATE TABLE audit (
    id     INTEGER PRIMARY KEY AUTOINCREMENT,
    at     INTEGER NOT NULL,
    who    TEXT NOT NULL,
    what   TEXT NOT NULL,
    target TEXT NOT NULL,
    before TEXT,
    after  TEXT
) STRICT;
CREATE INDEX audit_target ON audit (target, id);
CREATE INDEX audit_at ON audit (at);
CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append only');
END;

-- Answers to requests that may be sent again.
CREATE TABLE idempotency (
    key         TEXT NOT NULL,
    who         TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    status      INTEGER NOT NULL,
    body        TEXT NOT NULL,
    at          INTEGER NOT NULL,
    PRIMARY KEY (key, who)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency (at);

CREATE TABLE history (
    person   INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    at       INTEGER NOT NULL,
    presence TEXT NOT NULL,
    PRIMARY KEY (person, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX history_at ON history (at);
