-- The hub's first schema. Locks: creates only, nothing exists yet.
--
-- Every case-side key begins with office_id, so that the tables can be distributed by hash(office_id);
-- no sequence and no foreign key stands on the ingest path. Codes are text in the "C" collation:
-- readable in every client, compared bytewise, and the same on every machine.

-- Offices and identities

CREATE TABLE office (
    office_id     text COLLATE "C" PRIMARY KEY CHECK (office_id ~ '^[a-z][a-z0-9-]{1,15}$'),
    name          text NOT NULL,
    level         text COLLATE "C" NOT NULL CHECK (level IN ('municipal', 'county')),
    district_code text COLLATE "C" NOT NULL CHECK (district_code ~ '^[0-9]{6}$'),
    status        text COLLATE "C" NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'revoked')),
    created_at    timestamptz NOT NULL DEFAULT now(),
    revoked_at    timestamptz
);
COMMENT ON TABLE office IS '公证处';

CREATE TABLE join_token (
    token_hash  bytea PRIMARY KEY,               -- SHA-256 of the token; the token itself is never stored
    office_id   text COLLATE "C" NOT NULL REFERENCES office,
    expires_at  timestamptz NOT NULL,
    used_by_key bytea,                           -- SHA-256 of the SubjectPublicKeyInfo that used it first
    used_at     timestamptz,
    created_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE certificate (
    serial     bytea PRIMARY KEY,
    office_id  text COLLATE "C" NOT NULL REFERENCES office,
    key_hash   bytea NOT NULL,                   -- SHA-256 of the SubjectPublicKeyInfo
    not_before timestamptz NOT NULL,
    not_after  timestamptz NOT NULL,
    revoked_at timestamptz,
    issued_at  timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX certificate_by_office ON certificate (office_id);
CREATE INDEX certificate_revoked ON certificate (serial) WHERE revoked_at IS NOT NULL;

CREATE TABLE account (
    account_id      uuid PRIMARY KEY,
    login           text COLLATE "C" NOT NULL UNIQUE,
    display_name    text NOT NULL,
    role            text COLLATE "C" NOT NULL CHECK (role IN ('notary', 'analyst', 'supervisor', 'operator')),
    office_id       text COLLATE "C" REFERENCES office,
    password_hash   text NOT NULL,               -- Argon2id, PHC string
    disabled_at     timestamptz,
    failed_attempts integer NOT NULL DEFAULT 0,
    locked_until    timestamptz,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CHECK ((role = 'notary') = (office_id IS NOT NULL))
);

-- One row: facts of this hub's data as a whole.
CREATE TABLE hub_state (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    hub_epoch uuid NOT NULL                      -- changes when the hub is restored from a backup
);
INSERT INTO hub_state (hub_epoch) VALUES (gen_random_uuid());

-- Cases

CREATE TABLE case_record (
    office_id            text COLLATE "C" NOT NULL,
    source_case_id       text COLLATE "C" NOT NULL,
    revision             bigint NOT NULL,
    state                text COLLATE "C" NOT NULL,
    case_no              text COLLATE "C",       -- 证号, normalised; unique per office once given
    matter_type          text COLLATE "C" NOT NULL,
    foreign_relation     text COLLATE "C" NOT NULL,
    place_of_use         text COLLATE "C",
    notary_licence_no    text COLLATE "C",
    notary_name          text,
    applied_on           date,
    accepted_on          date,
    issued_on            date,
    closed_on            date,
    reason_code          text COLLATE "C",
    fee_charged_fen      bigint NOT NULL,
    fee_reduced_fen      bigint NOT NULL,
    fee_reduction_reason text COLLATE "C",
    amount_fen           bigint NOT NULL,
    legal_aid            boolean NOT NULL,
    home_visit           boolean NOT NULL,
    major                boolean NOT NULL,
    discussed            boolean NOT NULL,
    excused_working_days smallint NOT NULL,      -- working days of the excused intervals, overlaps counted once
    content_hash         bytea NOT NULL,         -- first 16 bytes of SHA-256 of the wire record
    modified_at          timestamptz,            -- effective time: the office's own clock
    recorded_at          timestamptz NOT NULL,   -- when this revision became durable here
    first_recorded_at    timestamptz NOT NULL,   -- when the case was first seen here: shows back-dated acceptance
    PRIMARY KEY (office_id, source_case_id)
);
CREATE UNIQUE INDEX case_record_by_case_no ON case_record (office_id, case_no) WHERE case_no IS NOT NULL;
CREATE INDEX case_record_by_accepted ON case_record USING brin (accepted_on);
COMMENT ON TABLE case_record IS '办证信息: one row per case, at its newest revision';

CREATE TABLE party (
    office_id        text COLLATE "C" NOT NULL,
    source_case_id   text COLLATE "C" NOT NULL,
    ordinal          smallint NOT NULL,
    role             text COLLATE "C" NOT NULL,
    kind             text COLLATE "C" NOT NULL,
    name             text NOT NULL,
    sex              text COLLATE "C",
    birth_date       date,
    id_kind          text COLLATE "C",
    id_token         bytea,                      -- keyed token, 16 bytes; set only when the number is verified
    id_unverified    bytea,                      -- the same for a number whose check digit fails
    id_segments      bytea,                      -- keyed tokens of its segments side by side, 16 bytes each
    id_tail          text COLLATE "C",
    id_key           integer,                    -- token key id
    phone_token      bytea,
    address_district text COLLATE "C",
    PRIMARY KEY (office_id, source_case_id, ordinal)
);
CREATE INDEX party_by_token ON party USING hash (id_token);
COMMENT ON TABLE party IS '当事人';

CREATE TABLE subject (
    office_id      text COLLATE "C" NOT NULL,
    source_case_id text COLLATE "C" NOT NULL,
    ordinal        smallint NOT NULL,
    kind           text COLLATE "C" NOT NULL,
    token          bytea NOT NULL,               -- keyed token, 16 bytes
    tail           text COLLATE "C",
    district_code  text COLLATE "C",
    PRIMARY KEY (office_id, source_case_id, ordinal)
);
CREATE INDEX subject_by_token ON subject USING hash (token);
COMMENT ON TABLE subject IS '标的';

-- Revisions that a newer one replaced. The newest revision stands in case_record alone.
CREATE TABLE case_history (
    office_id      text COLLATE "C" NOT NULL,
    source_case_id text COLLATE "C" NOT NULL,
    revision       bigint NOT NULL,
    modified_at    timestamptz,
    recorded_at    timestamptz NOT NULL,
    superseded_at  timestamptz NOT NULL,
    content        jsonb NOT NULL,               -- the case row with its parties and subjects
    PRIMARY KEY (office_id, source_case_id, revision)
);

-- Sync

CREATE TABLE sync_position (
    office_id          text COLLATE "C" PRIMARY KEY,
    epoch              uuid NOT NULL,
    committed_sequence bigint NOT NULL,
    committed_at       timestamptz NOT NULL,
    caught_up_at       timestamptz,
    backlog            bigint NOT NULL DEFAULT 0,
    agent_version      text,
    clock_skew_ms      bigint,                   -- agent's clock minus the hub's, measured at Hello
    connected_at       timestamptz,              -- Hello of the newest stream
    last_seen_at       timestamptz               -- refreshed while the stream is open
);

CREATE TABLE reject (
    office_id       text COLLATE "C" NOT NULL,
    record_key      text COLLATE "C" NOT NULL,   -- source_case_id, or the source location when there is none
    rule_id         text COLLATE "C" NOT NULL,
    field           text COLLATE "C" NOT NULL DEFAULT '',
    source_location text,
    value_shape     text,
    found_by        text COLLATE "C" NOT NULL CHECK (found_by IN ('agent', 'hub')),
    revision        bigint,
    first_seen_at   timestamptz NOT NULL,
    last_seen_at    timestamptz NOT NULL,
    resolved_at     timestamptz,                 -- a later good record of the same case clears it
    PRIMARY KEY (office_id, record_key, rule_id, field)
);
CREATE INDEX reject_open ON reject (office_id) WHERE resolved_at IS NULL;

CREATE TABLE quality_finding (
    office_id      text COLLATE "C" NOT NULL,
    source_case_id text COLLATE "C" NOT NULL,
    rule_id        text COLLATE "C" NOT NULL,    -- e.g. ILLEGAL_STEP, IDENTIFIER_UNVERIFIED
    field          text COLLATE "C" NOT NULL DEFAULT '',
    revision       bigint NOT NULL,
    detail         text,                         -- codes only, never a person's data
    found_at       timestamptz NOT NULL,
    PRIMARY KEY (office_id, source_case_id, rule_id, field)
);

-- Duplicate applications

-- What makes two cases the same matter under a rule's scope: derived from roles and subjects by
-- `linkage::matter`. Found by equality on key; distributed by office, looked up by key.
CREATE TABLE matter_key (
    office_id      text COLLATE "C" NOT NULL,
    source_case_id text COLLATE "C" NOT NULL,
    key            bytea NOT NULL,               -- 16 bytes
    PRIMARY KEY (office_id, source_case_id, key)
);
CREATE INDEX matter_key_by_key ON matter_key USING hash (key);

CREATE TABLE duplicate_finding (
    rule_id           text COLLATE "C" NOT NULL,
    left_office       text COLLATE "C" NOT NULL, -- (left_office, left_case) < (right_office, right_case)
    left_case         text COLLATE "C" NOT NULL,
    right_office      text COLLATE "C" NOT NULL,
    right_case        text COLLATE "C" NOT NULL,
    severity          text COLLATE "C" NOT NULL CHECK (severity IN ('duplicate', 'conflict', 'related')),
    first_accepting   text COLLATE "C",          -- office that accepted first (公证程序规则 art. 16)
    back_dated        boolean NOT NULL DEFAULT false,
    rules_version     text COLLATE "C" NOT NULL,
    found_at          timestamptz NOT NULL,
    closed_at         timestamptz,               -- a later revision made it no longer so
    PRIMARY KEY (rule_id, left_office, left_case, right_office, right_case)
);
CREATE INDEX duplicate_finding_by_left ON duplicate_finding (left_office, left_case);
CREATE INDEX duplicate_finding_by_right ON duplicate_finding (right_office, right_case);
COMMENT ON TABLE duplicate_finding IS '重复申请';

CREATE TABLE notice (
    notice_id      uuid PRIMARY KEY,
    office_id      text COLLATE "C" NOT NULL,
    kind           text COLLATE "C" NOT NULL,
    source_case_id text COLLATE "C",
    text_zh        text NOT NULL,
    created_at     timestamptz NOT NULL,
    delivered_at   timestamptz
);
CREATE INDEX notice_waiting ON notice (office_id, created_at) WHERE delivered_at IS NULL;

-- Statistics

-- Kept by deltas (new minus old) in the transaction that stores the case. Each measure counts in the
-- month of its own event: accepted in the month of acceptance, issued in the month of issuance; fees in
-- the month of acceptance, when they are charged. A recomputation from case_record must equal it exactly.
CREATE TABLE rollup_month (
    office_id        text COLLATE "C" NOT NULL,
    month            date NOT NULL,
    matter_type      text COLLATE "C" NOT NULL,
    foreign_relation text COLLATE "C" NOT NULL,
    applied          bigint NOT NULL DEFAULT 0,
    accepted         bigint NOT NULL DEFAULT 0,
    refused          bigint NOT NULL DEFAULT 0,
    issued           bigint NOT NULL DEFAULT 0,
    rejected         bigint NOT NULL DEFAULT 0,
    terminated       bigint NOT NULL DEFAULT 0,
    corrected        bigint NOT NULL DEFAULT 0,
    revoked          bigint NOT NULL DEFAULT 0,
    within_limit     bigint NOT NULL DEFAULT 0,  -- issued within 15 working days of acceptance (公证法 art. 30)
    fee_charged_fen  bigint NOT NULL DEFAULT 0,
    fee_reduced_fen  bigint NOT NULL DEFAULT 0,
    legal_aid        bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (office_id, month, matter_type, foreign_relation)
);
CREATE INDEX rollup_month_by_month ON rollup_month (month);

-- Filings and audit

CREATE TABLE filing (
    office_id      text COLLATE "C" NOT NULL,
    filing_id      uuid NOT NULL,
    kind           text COLLATE "C" NOT NULL,
    source_case_id text COLLATE "C",
    text           text NOT NULL,
    recorded_at    timestamptz NOT NULL,
    PRIMARY KEY (office_id, filing_id)
);

-- Append-only, hash-chained. Written before the answer it speaks of.
CREATE TABLE audit_entry (
    entry_no    bigint PRIMARY KEY,
    recorded_at timestamptz NOT NULL,
    actor       text COLLATE "C" NOT NULL,       -- account id, office id or operator's command
    office_id   text COLLATE "C",
    action      text COLLATE "C" NOT NULL,
    outcome     text COLLATE "C" NOT NULL,       -- hit, no_hit, denied, done
    purpose     text COLLATE "C",
    case_reference text,
    detail      jsonb NOT NULL,                  -- tokens in hex and codes; never a name or a number
    chain_hash  bytea NOT NULL                   -- SHA-256(previous chain_hash ‖ this entry's canonical bytes)
);

CREATE FUNCTION audit_entry_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_entry is append-only';
END $$;
CREATE TRIGGER audit_entry_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_append_only();
