-- Calendars without a time zone of their own were read in UTC; from now on the default is the organisation's zone, and without
-- one the server's. What exists keeps UTC until an administrator chooses a zone; a new database has no people yet.
UPDATE pages SET value = json_set(value, '$.time_zone', 'UTC')
WHERE page = 'calendar' AND json_extract(value, '$.time_zone') IS NULL;
INSERT INTO pages (scope, page, value)
SELECT 'organisation', 'calendar', json_object('time_zone', 'UTC')
WHERE EXISTS (SELECT 1 FROM people)
  AND NOT EXISTS (SELECT 1 FROM pages WHERE scope = 'organisation' AND page = 'calendar');
