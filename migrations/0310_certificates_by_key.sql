-- An office's first certificate is given for a key of its own: whether the key was another office's is looked up.
-- Locks: writing certificates waits while the index is built, which on a few hundred thousand rows is about a second.

CREATE INDEX certificate_by_key ON certificate (key_hash);
