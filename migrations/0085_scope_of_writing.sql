-- Row-level security behind what an office says of itself, and behind whom a look-up is for.
-- Locks: ACCESS EXCLUSIVE on each table for the change of the catalogue alone; no row is read.

-- How far its feed is, its next certificate, and what it files: an office's own, and nobody else's in its name.
GRANT INSERT, UPDATE ON sync_position TO notary_hub_people;
CREATE POLICY sync_position_opened_by_agents ON sync_position FOR INSERT TO notary_hub_people WITH CHECK (
    (SELECT scope_role_is('agent')) AND office_id = (SELECT scope_office()));
CREATE POLICY sync_position_moved_by_agents ON sync_position FOR UPDATE TO notary_hub_people USING (
    (SELECT scope_role_is('agent')) AND office_id = (SELECT scope_office()));

GRANT INSERT ON certificate TO notary_hub_people;
CREATE POLICY certificate_renewed_by_agents ON certificate FOR INSERT TO notary_hub_people WITH CHECK (
    (SELECT scope_role_is('agent')) AND office_id = (SELECT scope_office()));

GRANT INSERT ON filing TO notary_hub_people;
CREATE POLICY filing_handed_in ON filing FOR INSERT TO notary_hub_people WITH CHECK (
    (SELECT scope_role_is('agent', 'notary')) AND office_id = (SELECT scope_office()));

-- Notices wait for one office.
GRANT SELECT (notice_id, office_id, kind, source_case_id, text_zh, created_at, delivered_at, audit_entry) ON notice
    TO notary_hub_people;
ALTER TABLE notice ENABLE ROW LEVEL SECURITY;
CREATE POLICY notice_for_agents ON notice FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('agent')) AND office_id = (SELECT scope_office()));

-- Notaries look up, and nobody at the bureau does.
CREATE POLICY case_record_for_lookers ON case_record AS RESTRICTIVE FOR SELECT TO notary_hub_look_up USING (
    (SELECT scope_role_is('notary')));
CREATE POLICY lookup_intent_for_lookers ON lookup_intent AS RESTRICTIVE FOR SELECT TO notary_hub_look_up USING (
    (SELECT scope_role_is('notary')));
