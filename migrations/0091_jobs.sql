-- Long actions of whatever kind in one place: `link_run` had those of linkage alone. Locks: ACCESS EXCLUSIVE on link_run, a
-- few rows, for an instant. A hub of before this version begins no such action.
ALTER TABLE link_run RENAME TO job;
ALTER TABLE job RENAME COLUMN run_id TO job_id;
ALTER INDEX link_run_pkey RENAME TO job_pkey;
ALTER INDEX link_run_latest RENAME TO job_latest;
ALTER TABLE job
    DROP CONSTRAINT link_run_kind_check,
    ADD CONSTRAINT job_kind_check CHECK (kind IN ('relink', 'train', 'recount')),
    ADD COLUMN started_by text COLLATE "C" NOT NULL DEFAULT 'operator'; -- as the audit log names who did it
COMMENT ON TABLE job IS '长时任务';

GRANT SELECT ON job TO notary_hub_people;
ALTER TABLE job ENABLE ROW LEVEL SECURITY;
CREATE POLICY job_for_people ON job FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor', 'operator')));
