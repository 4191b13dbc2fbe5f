-- Of what people change of their own, only that they did is recorded. What earlier versions recorded is removed: texts of
-- appointments and profiles, who chose which profile, who blocks whom, favourites, addresses of feeds, devices.
DROP TRIGGER audit_is_append_only;
ALTER TABLE audit ADD COLUMN own INTEGER NOT NULL DEFAULT 0 CHECK (own IN (0, 1));
UPDATE audit SET
    -- What accounts that administer, keys and the command line did stays as long as before, without its content.
    own = who NOT IN (SELECT name FROM accounts WHERE role <> 'person')
        AND who NOT GLOB 'API key*'
        AND who NOT IN ('administrator of the installation', 'command line'),
    before = NULL,
    after = NULL,
    -- The person, without the viewer or the page.
    target = substr(target, 1, instr(target || '/', '/') - 1)
WHERE what IN (
    'appointment.add', 'appointment.set', 'appointment.delete',
    'profile.set', 'profile.delete', 'profile.order', 'profile.choose', 'profile.automatic',
    'relationship.set', 'favourites.set', 'settings.set_own',
    'person.teams_account', 'person.teams_account.link', 'person.teams_account.forget',
    'device.add', 'device.code', 'device.pause', 'device.delete'
);
CREATE INDEX audit_own_at ON audit (at) WHERE own = 1;
CREATE TRIGGER audit_is_append_only BEFORE UPDATE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append only');
END;
