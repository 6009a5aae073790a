-- By which calendar the cases were judged: by another, whatever stands is put down to be judged again, once. All of it is when
-- a hub of this version starts for the first time.
-- Locks: ACCESS EXCLUSIVE on hub_state for the change of the catalogue alone.
ALTER TABLE hub_state ADD COLUMN judged_by text COLLATE "C";
