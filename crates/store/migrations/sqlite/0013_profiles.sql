-- People can switch off profiles of their own.
ALTER TABLE personal_profiles ADD COLUMN active INTEGER NOT NULL DEFAULT 1 CHECK (active IN (0, 1));

-- The built-in Do not disturb refuses calls. One that an administrator has touched stays as it is: it differs from what
-- earlier versions made, belongs elsewhere, is assigned to people, or the audit log has a row about it.
UPDATE templates SET forwarding = 'do_not_disturb'
WHERE scope = 'organisation' AND key = 'do not disturb' AND name = 'Do not disturb' AND status = 'DoNotDisturb'
  AND forwarding = 'off' AND target IS NULL AND text IS NULL AND active = 1 AND audience = 'everyone'
  AND NOT EXISTS (SELECT 1 FROM templates AS other WHERE other.key = 'do not disturb' AND other.scope <> 'organisation')
  AND NOT EXISTS (SELECT 1 FROM template_people WHERE template = 'do not disturb')
  AND NOT EXISTS (
    SELECT 1 FROM audit
    WHERE what IN ('template.set', 'template.delete') AND lower(trim(target)) = 'do not disturb'
  );
