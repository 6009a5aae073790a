-- One rollup with three cuts, in place of `rollup_month`: by matter and foreign relation, by day, by notary.
-- Locks: the old table is dropped; nothing else is touched. The hub counts all cases again when it starts (about
-- four seconds for a million), in which ingest waits and look-ups do not.
--
-- A hub of before this version can store no more cases: its cells would be counted by other rules. Its agents wait.

-- Kept by deltas (new minus old) in the transaction that stores the case. Each event counts on its own day.
CREATE TABLE rollup (
    office_id        text COLLATE "C" NOT NULL,
    cut              text COLLATE "C" NOT NULL CHECK (cut IN ('matter', 'day', 'notary')),
    begins_on        date NOT NULL,                            -- the day, or the first day of the month
    matter_type      text COLLATE "C" NOT NULL,                -- of the cut by matter, else empty
    foreign_relation text COLLATE "C" NOT NULL,                -- of the cut by matter, else empty
    notary           text COLLATE "C" NOT NULL,                -- licence number, of the cut by notary; empty: not named
    applied          bigint NOT NULL,
    accepted         bigint NOT NULL,
    refused          bigint NOT NULL,
    issued           bigint NOT NULL,
    rejected         bigint NOT NULL,
    terminated       bigint NOT NULL,
    corrected        bigint NOT NULL,
    revoked          bigint NOT NULL,
    fee_charged_fen  bigint NOT NULL,
    fee_reduced_fen  bigint NOT NULL,
    fee_reduced      bigint NOT NULL,                          -- cases
    legal_aid        bigint NOT NULL,
    home_visit       bigint NOT NULL,
    -- Certificates by working days after the day of acceptance, excused ones left out: at most so many, more than
    -- the column before.
    handled_0        bigint NOT NULL,
    handled_1        bigint NOT NULL,
    handled_2        bigint NOT NULL,
    handled_3        bigint NOT NULL,
    handled_4        bigint NOT NULL,
    handled_5        bigint NOT NULL,
    handled_6        bigint NOT NULL,
    handled_7        bigint NOT NULL,
    handled_8        bigint NOT NULL,
    handled_10       bigint NOT NULL,
    handled_12       bigint NOT NULL,
    handled_15       bigint NOT NULL,                          -- the limit (公证法 art. 30)
    handled_20       bigint NOT NULL,
    handled_30       bigint NOT NULL,
    handled_60       bigint NOT NULL,
    handled_longer   bigint NOT NULL,
    PRIMARY KEY (office_id, cut, begins_on, matter_type, foreign_relation, notary)
);
CREATE INDEX rollup_by_time ON rollup (cut, begins_on);
COMMENT ON TABLE rollup IS '统计汇总';
GRANT SELECT ON rollup TO notary_hub_people;
ALTER TABLE rollup ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_for_people ON rollup FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor')) OR office_id = (SELECT scope_office()));
DROP TABLE rollup_month;

-- By which rules and which calendar the cells were counted. A hub whose own differ counts everything again before
-- it stores a case.
CREATE TABLE rollup_basis (
    only_row   boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    basis      text COLLATE "C" NOT NULL,
    counted_at timestamptz NOT NULL DEFAULT now()
);
-- 'new': nothing is counted yet, and whoever counts first says how.
INSERT INTO rollup_basis (basis) SELECT CASE WHEN EXISTS (SELECT FROM case_record) THEN 'old' ELSE 'new' END;
