-- Review: what people decide about possible duplicates, and how a decision about persons ends. Signing in: failures
-- in a row are those that follow each other soon.
-- Locks: `duplicate_finding` is rewritten for its new column (findings, not cases: seconds at most); the index on
-- `mention` builds under a SHARE lock, ten million rows in about ten seconds, in which linkage waits and ingest does
-- not; the rest changes the catalogue alone.

-- A finding as people name it: its key holds the other office's own key of its case, which is not told to everybody.
ALTER TABLE duplicate_finding ADD COLUMN finding_id uuid NOT NULL DEFAULT gen_random_uuid();
CREATE UNIQUE INDEX duplicate_finding_by_id ON duplicate_finding (finding_id);

-- One row for each decision. The newest that was not withdrawn counts, as long as the facts are those it was made on.
CREATE TABLE duplicate_decision (
    decision_id      uuid PRIMARY KEY,
    finding_id       uuid NOT NULL,
    decision         text COLLATE "C" NOT NULL CHECK (decision IN ('confirmed', 'dismissed')),
    reason           text NOT NULL,
    left_revision    bigint NOT NULL,             -- the facts: both cases' revisions and the rules
    right_revision   bigint NOT NULL,
    rules_version    text COLLATE "C" NOT NULL,
    decided_by       uuid NOT NULL,
    decided_at       timestamptz NOT NULL,
    withdrawn_by     uuid,
    withdrawn_at     timestamptz,
    withdrawn_reason text,
    CHECK ((withdrawn_by IS NULL) = (withdrawn_at IS NULL))
);
CREATE INDEX duplicate_decision_of_finding ON duplicate_decision (finding_id, decided_at DESC, decision_id DESC)
    WHERE withdrawn_at IS NULL;
COMMENT ON TABLE duplicate_decision IS '重复申请的人工认定';

-- Whoever confirmed stays named when a decision is withdrawn.
ALTER TABLE link_judgement
    ADD COLUMN closing_reason text,               -- why it was declined or withdrawn
    ADD COLUMN withdrawn_by   uuid,
    ADD COLUMN withdrawn_at   timestamptz;

ALTER TABLE account ADD COLUMN attempted_at timestamptz; -- last attempt to sign in

-- Which offices know a node, however often.
CREATE INDEX mention_of_node_at_office ON mention (node_id, office_id);
