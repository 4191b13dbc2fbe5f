-- Names of linked Teams accounts, to show; `account` is the object id that they belong to.
CREATE TABLE teams_account_names (
    person INTEGER PRIMARY KEY REFERENCES people (id) ON DELETE CASCADE,
    account TEXT NOT NULL,
    sign_in_name TEXT,
    display_name TEXT
) STRICT;
