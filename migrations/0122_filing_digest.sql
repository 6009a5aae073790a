-- Filings of one id with other content are refused, and self-assessments scored once. Locks: ACCESS EXCLUSIVE on filing and
-- hub_state for the change of the catalogue alone.

ALTER TABLE filing ADD COLUMN digest bytea;      -- SHA-256 of its content, tokens included; NULL: filed before
ALTER TABLE hub_state ADD COLUMN assessments_scored_by text COLLATE "C"; -- version of window and of scoring
