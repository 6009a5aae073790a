-- Who is about to accept what. Locks: none on what stands; one new table.

-- One row for an office and a key of the matter it has registered the intent to accept. Whatever is over stays until
-- the office registers again and is never told.
CREATE TABLE lookup_intent (
    office_id     text COLLATE "C" NOT NULL REFERENCES office,
    key           bytea NOT NULL,                        -- 16 bytes, as in matter_key
    matter_type   text COLLATE "C" NOT NULL,
    account_id    uuid NOT NULL,                         -- the notary's, of that office
    registered_at timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    PRIMARY KEY (office_id, key)
);
CREATE INDEX lookup_intent_by_key ON lookup_intent USING hash (key);
