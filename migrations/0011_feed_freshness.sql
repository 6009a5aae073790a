-- Freshness of feeds. Locks: ACCESS EXCLUSIVE on one small table for the change of the catalogue alone.

-- NULL: the hub has not committed anything of the office yet; a greeting alone is no commit.
ALTER TABLE sync_position ALTER COLUMN committed_at DROP NOT NULL;
