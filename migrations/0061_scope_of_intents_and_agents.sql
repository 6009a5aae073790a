-- Row-level security behind two more reads: intents to accept, and the digests that an office's agent compares with.
-- Locks: ACCESS EXCLUSIVE on each table for the change of the catalogue alone; no row is read.

-- An intent about a sealed matter is told to nobody: what is sealed opens with a case alone.
GRANT SELECT (office_id, key, matter_type, registered_at, expires_at) ON lookup_intent TO notary_hub_look_up;
ALTER TABLE lookup_intent ENABLE ROW LEVEL SECURITY;
CREATE POLICY lookup_intent_for_look_up ON lookup_intent FOR SELECT TO notary_hub_look_up USING (
    NOT matter_is_sealed(matter_type));

-- An agent reads its own office's cases and nothing of those that its notaries have a part in.
GRANT SELECT (content_hash) ON case_record TO notary_hub_people;
CREATE POLICY case_record_for_agents ON case_record AS RESTRICTIVE FOR SELECT TO notary_hub_people USING (
    (SELECT NOT scope_role_is('agent')) OR office_id = (SELECT scope_office()));
