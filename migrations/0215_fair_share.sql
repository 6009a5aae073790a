-- What stands behind a token or a key is read office by office where it is more than is read at once, so that no office's
-- cases keep another's from being found. Locks: SHARE on party, subject and matter_key while each index is built, in which
-- ingest waits and look-ups do not: about a minute each for thirty million rows.

CREATE INDEX party_by_token_and_office ON party (id_token, office_id) WHERE id_token IS NOT NULL;
DROP INDEX party_by_token;
CREATE INDEX subject_by_token_and_office ON subject (token, office_id);
DROP INDEX subject_by_token;
-- Of one office the live cases first, the newest acceptance before older ones.
CREATE INDEX matter_key_by_key_and_office ON matter_key (key, office_id, rank);
DROP INDEX matter_key_by_key_and_rank;
