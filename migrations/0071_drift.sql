-- What an office's agent found when it last compared. Locks: ACCESS EXCLUSIVE on one small table for the change of the
-- catalogue alone.
ALTER TABLE sync_position
    ADD COLUMN compared_at       timestamptz,    -- NULL: never
    ADD COLUMN drift_missing     bigint NOT NULL DEFAULT 0,
    ADD COLUMN drift_differing   bigint NOT NULL DEFAULT 0,
    ADD COLUMN drift_only_at_hub bigint NOT NULL DEFAULT 0;
