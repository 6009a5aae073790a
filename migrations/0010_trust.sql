-- Trust. Locks: ACCESS EXCLUSIVE on five small tables (accounts, offices, certificates, join tokens) for the
-- change of the catalogue alone: every column is nullable or has a constant default, so no row is rewritten.

ALTER TABLE account
    ADD COLUMN generation    integer NOT NULL DEFAULT 0, -- sessions of an earlier generation are refused
    ADD COLUMN generation_at timestamptz,                -- when it last grew
    ADD COLUMN totp_secret   bytea,                      -- sealed with the hub's account key
    ADD COLUMN totp_step     bigint;                     -- newest time step whose code was used: no code works twice
CREATE INDEX account_by_generation_at ON account (generation_at) WHERE generation_at IS NOT NULL;

-- Sessions that were ended by signing out, until they would have ended by themselves.
CREATE TABLE ended_session (
    session_id uuid PRIMARY KEY,
    ends_at    timestamptz NOT NULL
);

CREATE TABLE recovery_code (
    account_id uuid NOT NULL REFERENCES account,
    code_hash  bytea NOT NULL,                           -- SHA-256 of 80 random bits; deleted when it is used
    PRIMARY KEY (account_id, code_hash)
);

ALTER TABLE certificate
    ADD COLUMN issuer bytea,                             -- SHA-256 of the issuing CA's certificate; NULL: not known
    ADD COLUMN late   boolean NOT NULL DEFAULT false;    -- renewed after its predecessor had ended

ALTER TABLE join_token
    ADD COLUMN decision   text COLLATE "C" CHECK (decision IN ('approved', 'refused')),
    ADD COLUMN decided_at timestamptz;

ALTER TABLE office
    ADD COLUMN late_renewal_refused_at timestamptz;      -- an ended certificate of this office cannot be renewed
