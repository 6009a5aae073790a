-- Changes of the city's token key. Locks: ACCESS EXCLUSIVE on sync_position, a row an office, for the change of the
-- catalogue alone.

-- Every key that was made to follow another. An id is given once, whatever became of its key: agents know keys by it.
CREATE TABLE token_key_change (
    key_id       integer PRIMARY KEY,
    algorithm    text COLLATE "C" NOT NULL,
    made_at      timestamptz NOT NULL DEFAULT now(),
    withdrawn_at timestamptz                     -- NULL: the change is under way
);
CREATE UNIQUE INDEX token_key_change_under_way ON token_key_change ((withdrawn_at IS NULL)) WHERE withdrawn_at IS NULL;
COMMENT ON TABLE token_key_change IS '标识密钥更换';

ALTER TABLE sync_position ADD COLUMN next_token_key integer; -- the next key that the agent had at Hello; NULL: none
