-- Linking everything anew and training: how far a run is, weights that wait to come in force, and what a run is
-- about to put in place. Locks: link_weights, a few rows, for an instant; otherwise creates only.

-- Weights that were trained and are not in force yet have no moment of activation; there is one such row at most.
ALTER TABLE link_weights
    ALTER COLUMN activated_at DROP NOT NULL,
    ALTER COLUMN activated_at DROP DEFAULT,
    ADD COLUMN trained_at timestamptz NOT NULL DEFAULT now();
CREATE UNIQUE INDEX link_weights_candidate ON link_weights ((activated_at IS NULL)) WHERE activated_at IS NULL;
COMMENT ON TABLE link_weights IS '人员比对权重';

-- The shares of names that come in force with them.
CREATE TABLE link_candidate_share (
    name_fingerprint bigint PRIMARY KEY,
    millibits        integer NOT NULL
);

-- Long actions of an operator, for whoever looks again later. A run that has not ended and whose lock nobody holds
-- was cut short: it changed nothing.
CREATE TABLE link_run (
    run_id      uuid PRIMARY KEY,
    kind        text COLLATE "C" NOT NULL CHECK (kind IN ('relink', 'train')),
    step        text COLLATE "C" NOT NULL CHECK (step IN ('wait', 'read', 'compare', 'count', 'train', 'measure', 'write', 'switch')),
    done        bigint NOT NULL DEFAULT 0,       -- of the step
    total       bigint NOT NULL DEFAULT 0,       -- 0 where it is not known
    started_at  timestamptz NOT NULL DEFAULT now(),
    reported_at timestamptz NOT NULL DEFAULT now(),
    ended_at    timestamptz,
    outcome     text COLLATE "C" CHECK (outcome IN ('done', 'failed')),
    result      jsonb,                           -- figures, when it is done
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
CREATE INDEX link_run_latest ON link_run (started_at);

-- What a run is about to put in place. Empty but within the transaction of a run; one run at a time.
CREATE UNLOGGED TABLE relink_mention (
    mention_id     uuid NOT NULL,
    office_id      text COLLATE "C" NOT NULL,
    source_case_id text COLLATE "C" NOT NULL,
    ordinal        smallint NOT NULL,
    node_id        uuid NOT NULL,
    content        bigint NOT NULL,
    judged         boolean NOT NULL
);
CREATE UNLOGGED TABLE relink_node (
    node_id     uuid NOT NULL,
    number_kind text COLLATE "C",
    number      bytea,
    contested   boolean NOT NULL,
    oversize    boolean NOT NULL,
    person_id   uuid NOT NULL
);
CREATE UNLOGGED TABLE relink_block (
    key     bigint NOT NULL,
    node_id uuid NOT NULL
);
CREATE UNLOGGED TABLE relink_link (
    low          uuid NOT NULL,
    high         uuid NOT NULL,
    weight       integer NOT NULL,
    decision     text COLLATE "C" NOT NULL,
    low_mention  uuid NOT NULL,
    high_mention uuid NOT NULL
);

-- Parties as linkage sees them: what is compared, and its fingerprint. A case that was withdrawn has none.
CREATE VIEW standing_party AS
SELECT p.office_id, p.source_case_id, p.ordinal, p.kind, p.name, p.sex, p.birth_date, p.id_kind, p.id_token,
       p.id_unverified, p.id_segments, p.phone_token, p.address_district,
       ARRAY(SELECT o.id_token FROM party o
              WHERE o.office_id = p.office_id AND o.source_case_id = p.source_case_id
                AND o.ordinal <> p.ordinal AND o.id_token IS NOT NULL) AS related,
       hashtextextended(ROW(p.kind, p.name, p.sex, p.birth_date, p.id_kind, p.id_token, p.id_unverified,
           p.id_segments, p.phone_token, p.address_district,
           (SELECT array_agg(o.id_token ORDER BY o.id_token) FROM party o
             WHERE o.office_id = p.office_id AND o.source_case_id = p.source_case_id
               AND o.ordinal <> p.ordinal AND o.id_token IS NOT NULL))::text, 0) AS content
  FROM party p
  JOIN case_record c ON c.office_id = p.office_id AND c.source_case_id = p.source_case_id
                    AND c.state <> 'withdrawn';
