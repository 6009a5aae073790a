-- Work that fails again and again makes way for the rest and is set aside in the end, where people see it.
-- Locks: ACCESS EXCLUSIVE on both tables for the change of the catalogue, and while the indexes are built over what waits.

ALTER TABLE supervision_work
    ADD COLUMN attempts        integer NOT NULL DEFAULT 0,
    ADD COLUMN set_aside_at    timestamptz,
    ADD COLUMN set_aside_under text COLLATE "C";  -- the rules that it could not be judged by
ALTER TABLE link_work
    ADD COLUMN set_aside_at    timestamptz;

-- `leased_until` says before when nobody takes a row: a worker has it, or it failed. The order of work follows it.
DROP INDEX supervision_work_waiting;
CREATE INDEX supervision_work_waiting ON supervision_work (coalesce(leased_until, enqueued_at)) WHERE set_aside_at IS NULL;
DROP INDEX link_work_waiting;
CREATE INDEX link_work_waiting ON link_work (coalesce(leased_until, enqueued_at)) WHERE set_aside_at IS NULL;
