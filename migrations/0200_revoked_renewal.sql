-- A renewal looks whether the certificate that it is made with was revoked: an agent reads that of its own office's.
-- Locks: ACCESS EXCLUSIVE on certificate for the change of the catalogue alone; no row is read.

GRANT SELECT (serial, revoked_at) ON certificate TO notary_hub_people;
