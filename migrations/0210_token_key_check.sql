-- What tells a token key from another of the same id without giving it away: derived from it, one way. A hub with another
-- key than the one that the stored tokens were made with would find nothing, and nobody would know.
CREATE TABLE token_key_check (
    key_id      integer PRIMARY KEY,
    check_value bytea   NOT NULL CHECK (length(check_value) = 16)
);
