-- The newest certificate of an office and the last one that came late are looked for with every list of offices, and what
-- was taken back lately each second: none of them reads what an office was given in all its years.
-- Locks: writing certificates waits while the indexes are built, which on a few hundred thousand rows is about a second.

CREATE INDEX certificate_by_time ON certificate (office_id, issued_at);
CREATE INDEX certificate_late ON certificate (office_id, issued_at) WHERE late;
CREATE INDEX certificate_revoked_by_end ON certificate (not_after) INCLUDE (serial) WHERE revoked_at IS NOT NULL;
-- The new ones serve what these did.
DROP INDEX certificate_by_office;
DROP INDEX certificate_revoked;
