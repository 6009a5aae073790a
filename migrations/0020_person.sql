-- Persons: mentions, the nodes they fall into, links between nodes, people's decisions, and the work table.
-- Locks: creates only. Keys are derived, never counted: a mention has the same key in every run, on every hub.
--
-- A node is what linkage compares: all mentions with one verified number, or one mention without one. A person
-- is a cluster of nodes. A bank named in a hundred thousand cases is one node, so no work grows with its bearers.

-- One row per party of a case (当事人) as linkage sees it; the fields compared stand in `party`.
CREATE TABLE mention (
    mention_id     uuid PRIMARY KEY,             -- from (office_id, source_case_id, ordinal)
    office_id      text COLLATE "C" NOT NULL,
    source_case_id text COLLATE "C" NOT NULL,
    ordinal        smallint NOT NULL,
    node_id        uuid NOT NULL,
    content        bigint NOT NULL,              -- fingerprint of what is compared: a case that only moves on costs nothing
    judged         boolean NOT NULL DEFAULT false -- named by a decision in force
);
CREATE UNIQUE INDEX mention_of_case ON mention (office_id, source_case_id, ordinal);
CREATE INDEX mention_of_node ON mention (node_id, mention_id);
CREATE INDEX mention_judged ON mention (node_id) WHERE judged;
COMMENT ON TABLE mention IS '当事人在案件中的一次出现';

CREATE TABLE link_node (
    node_id     uuid PRIMARY KEY,                -- from the verified number, else the mention's key
    number_kind text COLLATE "C",                -- both set, or none
    number      bytea,                           -- keyed token, 16 bytes
    contested   boolean NOT NULL DEFAULT false,  -- one mention of a number that people hold not to be one person's
    oversize    boolean NOT NULL DEFAULT false,  -- of a component too large to be clustered by its links
    revision    uuid NOT NULL,                   -- changes with the representatives
    person_id   uuid NOT NULL,                   -- the least node of the person
    CHECK ((number_kind IS NULL) = (number IS NULL))
);
CREATE INDEX link_node_of_person ON link_node (person_id);
CREATE INDEX link_node_contested ON link_node (number) WHERE contested;
COMMENT ON TABLE link_node IS '人员聚类的基本单元';

-- Blocking keys of nodes: `linkage::block`.
CREATE TABLE link_block (
    key     bigint NOT NULL,
    node_id uuid NOT NULL,
    PRIMARY KEY (key, node_id)
);
CREATE INDEX link_block_of_node ON link_block (node_id);
-- Keys that more nodes have than are compared under one key.
CREATE TABLE link_overfull (
    key bigint PRIMARY KEY
);

-- Pairs of nodes from the review threshold up.
CREATE TABLE link (
    low         uuid NOT NULL,                   -- low < high
    high        uuid NOT NULL,
    weight      integer NOT NULL,                -- match weight in thousandths of a bit
    decision    text COLLATE "C" NOT NULL CHECK (decision IN ('same', 'possible')),
    low_mention  uuid NOT NULL,                  -- the two mentions that weigh most, for the explanation
    high_mention uuid NOT NULL,
    PRIMARY KEY (low, high),
    CHECK (low < high)
);
CREATE INDEX link_by_high ON link (high);
CREATE INDEX link_possible ON link (weight DESC, low, high) WHERE decision = 'possible';

-- What people decided about two mentions. It outlives every re-run; nothing is deleted.
CREATE TABLE link_judgement (
    judgement_id uuid PRIMARY KEY,
    low          uuid NOT NULL,                  -- mentions, low < high
    high         uuid NOT NULL,
    judgement    text COLLATE "C" NOT NULL CHECK (judgement IN ('same', 'not_same')),
    state        text COLLATE "C" NOT NULL CHECK (state IN ('proposed', 'in_force', 'declined', 'withdrawn')),
    reason       text NOT NULL,
    proposed_by  uuid NOT NULL,
    proposed_at  timestamptz NOT NULL,
    decided_by   uuid,                           -- the second pair of eyes, or who declined or withdrew
    decided_at   timestamptz,
    CHECK (low < high)
);
CREATE UNIQUE INDEX link_judgement_of_pair ON link_judgement (low, high) WHERE state IN ('proposed', 'in_force');
CREATE INDEX link_judgement_by_high ON link_judgement (high) WHERE state = 'in_force';

-- Cases whose parties wait for linkage: one row per office and ingest transaction, so that it costs ingest
-- one row a batch. `nodes` instead of cases: nodes to be compared again.
CREATE TABLE link_work (
    work_id         uuid PRIMARY KEY,
    office_id       text COLLATE "C",
    source_case_ids text[] NOT NULL DEFAULT '{}',
    nodes           uuid[] NOT NULL DEFAULT '{}',
    enqueued_at     timestamptz NOT NULL DEFAULT now(),
    leased_until    timestamptz,                 -- a worker that dies lets go when it passes
    attempts        integer NOT NULL DEFAULT 0
);
CREATE INDEX link_work_waiting ON link_work (enqueued_at);

-- The weights in force, and the shares of names they were made with: both stand still until the next
-- training or re-linking, so that clusters follow from the data and not from when it came.
CREATE TABLE link_weights (
    version      text COLLATE "C" PRIMARY KEY,
    content      text NOT NULL,                  -- TOML, as `linkage::weights` reads it
    mentions     bigint NOT NULL,                -- size of the collection that the prior is scaled to
    activated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE link_name_share (
    name_fingerprint bigint PRIMARY KEY,
    millibits        integer NOT NULL            -- log2 of the name's share, in thousandths
);
