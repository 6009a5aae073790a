-- Tokens under the key that is to follow the city's token key, beside the present ones. Locks: creates only.
--
-- In tables of their own: the rows they belong to are neither written anew nor in history with them, and a change that is
-- taken back leaves nothing but empty tables. Written in the transaction that stores the case.

CREATE TABLE next_case (
    office_id      text COLLATE "C" NOT NULL,
    source_case_id text COLLATE "C" NOT NULL,
    key_id         integer NOT NULL,             -- of the next key
    content_hash   bytea NOT NULL,               -- what the record's will be with these tokens in the place of its own
    PRIMARY KEY (office_id, source_case_id)
);
COMMENT ON TABLE next_case IS '已有下一密钥标识的案件';

-- A party's tokens, each where `party` has its like.
CREATE TABLE next_party (
    office_id      text COLLATE "C" NOT NULL,
    source_case_id text COLLATE "C" NOT NULL,
    ordinal        smallint NOT NULL,
    identifier     bytea,                        -- for id_token or id_unverified
    segments       bytea,                        -- for id_segments
    phone          bytea,                        -- for phone_token
    PRIMARY KEY (office_id, source_case_id, ordinal)
);

CREATE TABLE next_subject (
    office_id      text COLLATE "C" NOT NULL,
    source_case_id text COLLATE "C" NOT NULL,
    ordinal        smallint NOT NULL,
    token          bytea NOT NULL,
    PRIMARY KEY (office_id, source_case_id, ordinal)
);
