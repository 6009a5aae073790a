-- People read when an office did not take part: nobody asks it for the self-assessment of a year that it was revoked at the end
-- of. Locks: ACCESS EXCLUSIVE on a table of a few rows for the change of the catalogue alone.
GRANT SELECT ON office_absence TO notary_hub_people;
ALTER TABLE office_absence ENABLE ROW LEVEL SECURITY;
CREATE POLICY office_absence_for_people ON office_absence FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor')) OR office_id = (SELECT scope_office()));
