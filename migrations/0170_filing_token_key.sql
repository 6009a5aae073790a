-- Under which token key the relatives of a filing came: the same filing under a later key is no second one, and its
-- relatives are known by their new tokens. Locks: ACCESS EXCLUSIVE on filing for the change of the catalogue, and rows of
-- declarations of relatives, of which an office has some dozens.

ALTER TABLE filing ADD COLUMN token_key integer; -- NULL: the city's first key, or nothing with tokens
UPDATE filing f
   SET token_key = (SELECT max(c.key_id) FROM token_key_change c WHERE c.in_force_at <= f.recorded_at)
 WHERE f.kind = 'recusal';
