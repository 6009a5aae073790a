-- Cells of the rollup are moved beside the writers: a transaction that stores cases appends what they change, and a job
-- adds many transactions' changes to the cells at once. `rollup` is both together: a view, exact at every moment, in the
-- place of the table of that name.
--
-- Locks: `rollup` exclusively, for an instant. A hub of before this version can store no more cases, which it would try to
-- add to the view; its agents wait. What it reads stays right.
ALTER TABLE rollup RENAME TO rollup_cell;
ALTER INDEX rollup_pkey RENAME TO rollup_cell_pkey;
ALTER INDEX rollup_by_time RENAME TO rollup_cell_by_time;
ALTER POLICY rollup_for_people ON rollup_cell RENAME TO rollup_cell_for_people;
ALTER POLICY rollup_of_days_for_operators ON rollup_cell RENAME TO rollup_cell_of_days_for_operators;
-- Counts move and keys stay: with room on its page a cell is moved without touching an index.
ALTER TABLE rollup_cell SET (fillfactor = 70);
COMMENT ON TABLE rollup_cell IS '统计汇总单元格';

-- What transactions changed that is not added to the cells yet; a cell may stand here many times. No key and no index: it
-- is written by appending, and taken off by whoever adds it up. A count that did not move is NULL, which takes no room.
CREATE TABLE rollup_delta (
    office_id        text COLLATE "C" NOT NULL,
    cut              text COLLATE "C" NOT NULL,
    begins_on        date NOT NULL,
    matter_type      text COLLATE "C" NOT NULL,
    foreign_relation text COLLATE "C" NOT NULL,
    notary           text COLLATE "C" NOT NULL,
    applied bigint, accepted bigint, refused bigint, issued bigint, rejected bigint, terminated bigint,
    corrected bigint, revoked bigint, fee_charged_fen bigint, fee_reduced_fen bigint, fee_reduced bigint,
    legal_aid bigint, home_visit bigint, handled_0 bigint, handled_1 bigint, handled_2 bigint, handled_3 bigint,
    handled_4 bigint, handled_5 bigint, handled_6 bigint, handled_7 bigint, handled_8 bigint, handled_10 bigint,
    handled_12 bigint, handled_15 bigint, handled_20 bigint, handled_30 bigint, handled_60 bigint,
    handled_longer bigint
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000);
COMMENT ON TABLE rollup_delta IS '统计汇总增量';
GRANT SELECT ON rollup_delta TO notary_hub_people;
ALTER TABLE rollup_delta ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_delta_for_people ON rollup_delta FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor')) OR office_id = (SELECT scope_office()));
CREATE POLICY rollup_delta_of_days_for_operators ON rollup_delta FOR SELECT TO notary_hub_people USING (
    cut = 'day' AND (SELECT scope_role_is('operator')));

-- Whoever reads it adds rows up: a cell may have several, and NULL counts nothing. The policies of the tables hold for
-- whoever asks.
CREATE VIEW rollup WITH (security_invoker = true) AS
TABLE rollup_cell UNION ALL TABLE rollup_delta;
COMMENT ON VIEW rollup IS '统计汇总';
GRANT SELECT ON rollup TO notary_hub_people;
