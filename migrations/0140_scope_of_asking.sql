-- Row-level security behind what notaries leave at the hub for their own office: intents to accept and standing questions.
-- Locks: ACCESS EXCLUSIVE on each table for the change of the catalogue alone; no row is read.

GRANT SELECT, INSERT, UPDATE, DELETE ON lookup_intent TO notary_hub_people;
CREATE POLICY lookup_intent_of_notaries ON lookup_intent FOR ALL TO notary_hub_people USING (
    (SELECT scope_role_is('notary')) AND office_id = (SELECT scope_office()));

GRANT INSERT, UPDATE ON standing_question TO notary_hub_people;
CREATE POLICY standing_question_put_by_notaries ON standing_question FOR INSERT TO notary_hub_people WITH CHECK (
    (SELECT scope_role_is('notary')) AND office_id = (SELECT scope_office()));
CREATE POLICY standing_question_moved_by_notaries ON standing_question FOR UPDATE TO notary_hub_people USING (
    (SELECT scope_role_is('notary')) AND office_id = (SELECT scope_office()));

-- A key belongs to whom the question does, which has a policy of its own.
GRANT SELECT, INSERT, DELETE ON standing_key TO notary_hub_people;
ALTER TABLE standing_key ENABLE ROW LEVEL SECURITY;
CREATE POLICY standing_key_of_notaries ON standing_key FOR ALL TO notary_hub_people USING (
    (SELECT scope_role_is('notary')) AND EXISTS (
        SELECT FROM standing_question q WHERE q.question_id = standing_key.question_id));
