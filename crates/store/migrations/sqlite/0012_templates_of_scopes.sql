-- A template belongs to one scope. One that was offered to several becomes one of each: its content, its place in the order
-- and what people see stay as they were.
CREATE TABLE scoped_templates (
    scope      TEXT NOT NULL REFERENCES scopes (id),
    key        TEXT NOT NULL,
    name       TEXT NOT NULL,
    status     TEXT NOT NULL,
    forwarding TEXT NOT NULL,
    target     TEXT,
    text       TEXT,
    active     INTEGER NOT NULL,
    -- Everybody in the scope, or only the people that the template is assigned to.
    audience   TEXT NOT NULL CHECK (audience IN ('everyone', 'assigned')),
    -- Templates of one name share it: the order is one of names.
    position   INTEGER NOT NULL,
    PRIMARY KEY (scope, key)
) STRICT, WITHOUT ROWID;
INSERT INTO scoped_templates (scope, key, name, status, forwarding, target, text, active, audience, position)
SELECT coalesce(scope, 'organisation'), key, name, status, forwarding, target, text, active,
       iif(scope IS NULL, 'assigned', 'everyone'), position
FROM templates LEFT JOIN template_offers ON template = key;

CREATE TABLE scoped_template_people (
    scope    TEXT NOT NULL,
    template TEXT NOT NULL,
    person   INTEGER NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    PRIMARY KEY (scope, template, person),
    FOREIGN KEY (scope, template) REFERENCES scoped_templates (scope, key) ON DELETE CASCADE ON UPDATE CASCADE
) STRICT, WITHOUT ROWID;
-- Each person keeps one of those that their template became: the nearest, else the organisation's, else the first.
INSERT INTO scoped_template_people (scope, template, person)
SELECT scope, template, person FROM (
    SELECT candidate.scope, template, person, row_number() OVER (
        PARTITION BY template, person
        ORDER BY candidate.scope IS configuration_group DESC, candidate.scope IS location DESC,
                 candidate.scope = 'organisation' DESC, candidate.scope
    ) AS place
    FROM template_people JOIN people ON id = person JOIN scoped_templates AS candidate ON candidate.key = template
) WHERE place = 1;

DROP TABLE template_people;
DROP TABLE template_offers;
DROP TABLE templates;
ALTER TABLE scoped_templates RENAME TO templates;
ALTER TABLE scoped_template_people RENAME TO template_people;
CREATE INDEX templates_key ON templates (key);
CREATE INDEX template_people_person ON template_people (person);
