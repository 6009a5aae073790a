-- Who at an office updates and reports the data (杭司〔2012〕122号 附件(十一)4), for the office and the bureau. Locks: ACCESS
-- EXCLUSIVE on office_profile for the catalogue alone (a constant default, no row is rewritten).

ALTER TABLE office_profile ADD COLUMN data_steward text NOT NULL DEFAULT '';

GRANT SELECT (office_id, data_steward) ON office_profile TO notary_hub_people;
ALTER TABLE office_profile ENABLE ROW LEVEL SECURITY;
CREATE POLICY office_profile_for_people ON office_profile FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor', 'operator')) OR office_id = (SELECT scope_office()));
