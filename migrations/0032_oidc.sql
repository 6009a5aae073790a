-- Signing in through the bureau's identity provider. Locks: ACCESS EXCLUSIVE on account for the change of the
-- catalogue alone; the new column is nullable.
ALTER TABLE account ADD COLUMN provider_subject text COLLATE "C"; -- `sub` at the provider
CREATE UNIQUE INDEX account_by_provider_subject ON account (provider_subject) WHERE provider_subject IS NOT NULL;

-- ID tokens that were exchanged for a session, until they would have ended: each works once, at one hub.
CREATE TABLE used_id_token (
    token_hash bytea PRIMARY KEY,                -- SHA-256 of the token
    ends_at    timestamptz NOT NULL
);
