-- Large files that a person asks for, made as jobs. Locks: ACCESS EXCLUSIVE on job, a few rows, for an instant; otherwise
-- creates only.
ALTER TABLE job
    DROP CONSTRAINT job_kind_check,
    DROP CONSTRAINT link_run_outcome_check,
    ADD CONSTRAINT job_kind_check CHECK (kind IN ('relink', 'train', 'recount', 'export')),
    ADD CONSTRAINT job_outcome_check CHECK (outcome IN ('done', 'failed', 'cancelled'));

-- Whether somebody still does a job: who does it holds a lock until the end, however it ends.
CREATE FUNCTION job_is_held(job uuid) RETURNS boolean LANGUAGE sql STABLE
RETURN EXISTS (SELECT FROM pg_locks l
                WHERE l.locktype = 'advisory' AND l.objsubid = 2 AND l.granted
                  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                  AND l.classid = 1785684480::oid -- "job", as store/job.rs has it
                  AND l.objid = (hashtext(job::text)::bigint & 4294967295)::oid);

-- Its job says how far it is and how it ended; the rows here go when the file has expired. The file stands in the database
-- and not in a folder, so that whichever hub of the database is asked has it, and so that it falls under the same policies.
CREATE TABLE export (
    export_id   uuid PRIMARY KEY REFERENCES job (job_id),
    account_id  uuid NOT NULL,
    role        text COLLATE "C" NOT NULL,          -- as which it was asked for
    office_id   text COLLATE "C",
    subject     text COLLATE "C" NOT NULL CHECK (subject IN ('statistics', 'findings', 'audit')),
    form        text COLLATE "C" NOT NULL CHECK (form IN ('csv', 'xlsx')),
    name        text NOT NULL,                      -- Chinese, for the list
    bytes       bigint,                             -- when it is whole
    refusal     text COLLATE "C" CHECK (refusal IN ('too_large')),
    cancelled_at timestamptz,                       -- whoever makes it stops soon
    expires_at  timestamptz NOT NULL
);
CREATE INDEX export_by_account ON export (account_id);
CREATE INDEX export_by_end ON export (expires_at);
COMMENT ON TABLE export IS '导出文件';

CREATE TABLE export_chunk (
    export_id uuid NOT NULL REFERENCES export ON DELETE CASCADE,
    ordinal   integer NOT NULL,
    bytes     bytea NOT NULL,
    PRIMARY KEY (export_id, ordinal)
);
COMMENT ON TABLE export_chunk IS '导出文件的内容';

-- An export is for the account that asked, for as long as it is what it was then.
CREATE FUNCTION scope_account() RETURNS text LANGUAGE sql STABLE
RETURN nullif(current_setting('notary_hub.account', true), '');

GRANT SELECT ON export, export_chunk TO notary_hub_people;
ALTER TABLE export ENABLE ROW LEVEL SECURITY;
CREATE POLICY export_for_people ON export FOR SELECT TO notary_hub_people USING (
    account_id::text = (SELECT scope_account())
    AND (SELECT current_setting('notary_hub.role', true)) = role
    AND office_id IS NOT DISTINCT FROM (SELECT scope_office()));
ALTER TABLE export_chunk ENABLE ROW LEVEL SECURITY;
CREATE POLICY export_chunk_for_people ON export_chunk FOR SELECT TO notary_hub_people USING (
    EXISTS (SELECT FROM export e WHERE e.export_id = export_chunk.export_id));
CREATE POLICY job_of_own_export ON job FOR SELECT TO notary_hub_people USING (
    EXISTS (SELECT FROM export e WHERE e.export_id = job.job_id));
