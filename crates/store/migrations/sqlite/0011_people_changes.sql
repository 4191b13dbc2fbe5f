-- The people who changed, by revision: a running server reads these people again and nobody else, whichever process made
-- the change. A person has at most one row, that of the latest change; a deleted person keeps it.
CREATE TABLE people_changes (
    revision INTEGER PRIMARY KEY AUTOINCREMENT,
    person   INTEGER NOT NULL UNIQUE
) STRICT;

CREATE TRIGGER people_changes_after_insert AFTER INSERT ON people
BEGIN
    DELETE FROM people_changes WHERE person = NEW.id;
    INSERT INTO people_changes (person) VALUES (NEW.id);
END;

-- Mail and sign-in name are compared without case elsewhere: here a new spelling is a change.
CREATE TRIGGER people_changes_after_update AFTER UPDATE ON people
WHEN OLD.name IS NOT NEW.name
  OR OLD.mail COLLATE BINARY IS NOT NEW.mail
  OR OLD.user_principal_name COLLATE BINARY IS NOT NEW.user_principal_name
  OR OLD.teams_id COLLATE BINARY IS NOT NEW.teams_id
  OR OLD.teams_tenant IS NOT NEW.teams_tenant
  OR OLD.location IS NOT NEW.location
  OR OLD.configuration_group IS NOT NEW.configuration_group
  OR OLD.gone_at IS NOT NEW.gone_at
BEGIN
    DELETE FROM people_changes WHERE person = NEW.id;
    INSERT INTO people_changes (person) VALUES (NEW.id);
END;

CREATE TRIGGER people_changes_after_delete AFTER DELETE ON people
BEGIN
    DELETE FROM people_changes WHERE person = OLD.id;
    INSERT INTO people_changes (person) VALUES (OLD.id);
END;

CREATE TRIGGER people_changes_after_line_insert AFTER INSERT ON lines
BEGIN
    DELETE FROM people_changes WHERE person = NEW.person;
    INSERT INTO people_changes (person) VALUES (NEW.person);
END;

CREATE TRIGGER people_changes_after_line_delete AFTER DELETE ON lines
BEGIN
    DELETE FROM people_changes WHERE person = OLD.person;
    INSERT INTO people_changes (person) VALUES (OLD.person);
END;

-- The counter that only said that somebody had changed.
DELETE FROM settings WHERE name = 'people.revision';
