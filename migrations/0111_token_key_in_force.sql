-- Going over to the next token key. Locks: ACCESS EXCLUSIVE on four small tables for the change of the catalogue alone:
-- every column is nullable or has a constant default.

-- The commit that sets it is the moment of the change: of the keys that came into force the latest is the city's, and
-- its first where none did.
ALTER TABLE token_key_change ADD COLUMN in_force_at timestamptz;
DROP INDEX token_key_change_under_way;
CREATE UNIQUE INDEX token_key_change_under_way ON token_key_change ((withdrawn_at IS NULL))
    WHERE withdrawn_at IS NULL AND in_force_at IS NULL;

-- Tokens of a key that was given up, which no source brings again: they match nothing and are put anew.
ALTER TABLE honey_token ADD COLUMN outdated boolean NOT NULL DEFAULT false;
ALTER TABLE recusal ADD COLUMN outdated boolean NOT NULL DEFAULT false;
ALTER TABLE standing_question ADD COLUMN outdated boolean NOT NULL DEFAULT false;
