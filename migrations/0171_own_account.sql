-- What people see of their own accounts: where somebody signed in as them, how often it was tried, and what was changed.
-- Locks: ACCESS EXCLUSIVE on account for the change of the catalogue alone.

ALTER TABLE account ADD COLUMN refused integer NOT NULL DEFAULT 0; -- attempts since the last session began

CREATE TABLE person_session (
    session_id uuid PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account,
    generation integer NOT NULL,                       -- as in account: of an earlier one it has ended
    door       text COLLATE "C" NOT NULL,              -- password, provider, change
    address    text COLLATE "C",                       -- whence; NULL: not by way of a listener
    begun_at   timestamptz NOT NULL DEFAULT now(),
    ends_at    timestamptz NOT NULL,                   -- by itself; ended_session has those that ended before
    refused    integer NOT NULL                        -- attempts since the session before
);
CREATE INDEX person_session_of_account ON person_session (account_id, begun_at);
CREATE INDEX person_session_by_end ON person_session (ends_at);

CREATE TABLE account_change (
    change_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id uuid NOT NULL REFERENCES account,
    change     text COLLATE "C" NOT NULL,
    changed_by text COLLATE "C" NOT NULL,              -- owner, operator
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX account_change_of_account ON account_change (account_id, change_id);

-- A second factor that its owner has been shown and has not confirmed with a code yet.
CREATE TABLE second_factor_offer (
    account_id uuid PRIMARY KEY REFERENCES account,
    sealed     bytea NOT NULL,                         -- as account.totp_secret
    generation integer NOT NULL,                       -- as in account: whatever changes the account ends the offer
    offered_at timestamptz NOT NULL DEFAULT now(),
    tries      integer NOT NULL DEFAULT 0
);
