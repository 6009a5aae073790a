-- Entrusted verification between offices (公证法 art. 29, 公证程序规则 art. 33). Locks: creates only.
CREATE TABLE details_request (
    request_id     uuid PRIMARY KEY,             -- chosen by the asking office: a retry is harmless
    asking_office  text COLLATE "C" NOT NULL,
    asked_by       uuid NOT NULL,                -- account
    case_reference text NOT NULL,                -- the asking office's own
    purpose        text COLLATE "C" NOT NULL,
    audit_entry    bigint NOT NULL,              -- the look-up that found the case
    holding_office text COLLATE "C" NOT NULL,
    source_case_id text COLLATE "C" NOT NULL,    -- of the holding office
    question       text NOT NULL,
    asked_at       timestamptz NOT NULL,
    due_on         date NOT NULL,                -- a month later, Asia/Shanghai
    outcome        text COLLATE "C" CHECK (outcome IN ('verified', 'cannot_verify')),
    answer         text,
    answered_by    uuid,
    answered_at    timestamptz,
    CHECK ((outcome IS NULL) = (answered_at IS NULL) AND (outcome IS NULL) = (answer IS NULL))
);
CREATE INDEX details_request_to ON details_request (holding_office, asked_at, request_id);
CREATE INDEX details_request_from ON details_request (asking_office, asked_at, request_id);
COMMENT ON TABLE details_request IS '委托核实';
