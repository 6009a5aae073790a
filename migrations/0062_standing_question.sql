-- Standing questions: an office hears when another one opens the matter it asked about. Locks: creates only, and one
-- column of `notice` without a default, which changes the catalogue alone.

CREATE TABLE standing_question (
    question_id    uuid PRIMARY KEY,
    office_id      text COLLATE "C" NOT NULL REFERENCES office,
    account_id     uuid NOT NULL,                -- the notary's who put it, of that office
    matter_type    text COLLATE "C" NOT NULL,
    purpose        text COLLATE "C" NOT NULL,
    case_reference text NOT NULL,                -- the office's own
    put_at         timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    ended_at       timestamptz                   -- when the office took it back
);
CREATE INDEX standing_question_by_office ON standing_question (office_id);
COMMENT ON TABLE standing_question IS '关注事项';

-- What identifies the matter, as in `matter_key`. Whoever stores a case looks its keys up here; a question that was
-- taken back has none.
CREATE TABLE standing_key (
    key         bytea NOT NULL,                  -- 16 bytes
    question_id uuid NOT NULL REFERENCES standing_question ON DELETE CASCADE,
    PRIMARY KEY (key, question_id)
);
CREATE INDEX standing_key_by_question ON standing_key (question_id);

-- What a question has found, once. On the path of ingest: no foreign key.
CREATE TABLE standing_event (
    question_id    uuid NOT NULL,
    office_id      text COLLATE "C" NOT NULL,    -- that opened the matter
    source_case_id text COLLATE "C" NOT NULL,    -- its case; empty: its intent to accept
    notice_id      uuid,                         -- null: it was there when the question was put, and told in the answer
    happened_at    timestamptz NOT NULL,
    PRIMARY KEY (question_id, office_id, source_case_id)
);
CREATE INDEX standing_event_by_notice ON standing_event (notice_id) WHERE notice_id IS NOT NULL;

-- A notice that answers a standing question leaves behind the entry that records it, as every answer does.
ALTER TABLE notice ADD COLUMN audit_entry bigint;

-- A notary reads the questions of the own office; their keys and what they found are nobody's to read.
GRANT SELECT ON standing_question TO notary_hub_people;
ALTER TABLE standing_question ENABLE ROW LEVEL SECURITY;
CREATE POLICY standing_question_for_people ON standing_question FOR SELECT TO notary_hub_people USING (
    office_id = (SELECT scope_office()));
