-- Where a record stood that the hub refused. Locks: ACCESS EXCLUSIVE on one table for the change of the catalogue
-- alone: both columns are nullable, so no row is rewritten.

ALTER TABLE reject
    ADD COLUMN epoch    uuid,                            -- of the office's outbox; NULL when the agent refused
    ADD COLUMN sequence bigint;                          -- in that epoch
