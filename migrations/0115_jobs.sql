-- Long actions of whatever kind in one place: `link_run` had those of linkage alone. Locks: ACCESS EXCLUSIVE on link_run, a
-- few rows, for an instant.
ALTER TABLE link_run RENAME TO job;
ALTER TABLE job RENAME COLUMN run_id TO job_id;
ALTER INDEX link_run_pkey RENAME TO job_pkey;
ALTER INDEX link_run_latest RENAME TO job_latest;
ALTER TABLE job
    DROP CONSTRAINT link_run_kind_check,
    DROP CONSTRAINT link_run_step_check,
    ADD CONSTRAINT job_kind_check CHECK (kind IN ('relink', 'train', 'recount')),
    ADD CONSTRAINT job_step_check CHECK (step IN ('wait', 'read', 'compare', 'count', 'persons', 'train', 'measure', 'write', 'switch')),
    ADD COLUMN started_by text COLLATE "C" NOT NULL DEFAULT 'operator'; -- as the audit log names who did it
COMMENT ON TABLE job IS '长时任务';

-- For hubs of before this version, which know the table by its former name. To be dropped with the next version.
CREATE VIEW link_run AS
    SELECT job_id AS run_id, kind, step, done, total, started_at, reported_at, ended_at, outcome, result FROM job;

GRANT SELECT ON job TO notary_hub_people;
ALTER TABLE job ENABLE ROW LEVEL SECURITY;
CREATE POLICY job_for_people ON job FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor', 'operator')));
