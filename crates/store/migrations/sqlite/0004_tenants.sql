-- Each location may name its tenant; who is nowhere, or where none is named, is in the tenant `main`.
ALTER TABLE scopes ADD COLUMN tenant TEXT;
-- The tenant that the linked account is in: people move, accounts do not.
ALTER TABLE people ADD COLUMN teams_tenant TEXT NOT NULL DEFAULT 'main';
