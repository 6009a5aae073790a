-- Why work failed, and who may see what is set aside of it.
-- Locks: ACCESS EXCLUSIVE on both tables for the change of the catalogue; nothing is rewritten.

ALTER TABLE supervision_work ADD COLUMN cause text COLLATE "C"; -- of the attempt before; of one under way: that it never ended
ALTER TABLE link_work ADD COLUMN cause text COLLATE "C";

GRANT SELECT ON supervision_work, link_work TO notary_hub_people;
ALTER TABLE supervision_work ENABLE ROW LEVEL SECURITY;
ALTER TABLE link_work ENABLE ROW LEVEL SECURITY;
CREATE POLICY supervision_work_for_people ON supervision_work FOR SELECT TO notary_hub_people USING (
    set_aside_at IS NOT NULL AND (SELECT scope_role_is('supervisor', 'operator')));
CREATE POLICY link_work_for_people ON link_work FOR SELECT TO notary_hub_people USING (
    set_aside_at IS NOT NULL AND (SELECT scope_role_is('supervisor', 'operator')));
