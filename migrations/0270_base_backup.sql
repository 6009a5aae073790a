-- When the last whole copy of the database was finished, as `deploy/backup.sh base`, or whatever else makes copies, says.
-- Locks: ACCESS EXCLUSIVE on hub_state for the change of the catalogue alone.
ALTER TABLE hub_state ADD COLUMN base_backup_at timestamptz;
