-- What a finding rests on beyond its evidence, and what figures count of it. Locks: ACCESS EXCLUSIVE on findings and
-- inspections while rows are written, seconds at most, in which cases are not judged.

ALTER TABLE supervision_finding
    ADD COLUMN concluded       boolean NOT NULL DEFAULT false, -- its case had ended; `happened_on` is the day of that
    ADD COLUMN rectified_late  boolean NOT NULL DEFAULT false, -- some day by which it was to be rectified had passed
    ADD COLUMN rests_on_office text COLLATE "C",               -- another office's case that it rests on; told to nobody
    ADD COLUMN rests_on_case   text COLLATE "C";
CREATE INDEX supervision_finding_resting ON supervision_finding (rests_on_office, rests_on_case)
    WHERE rests_on_case IS NOT NULL AND cleared_at IS NULL;

ALTER TABLE inspection
    ADD COLUMN rectified_late boolean NOT NULL DEFAULT false;

UPDATE supervision_finding f SET concluded = true
  FROM case_record c
 WHERE f.about = 'case' AND c.office_id = f.office_id AND c.source_case_id = f.about_key AND c.state <> 'withdrawn'
   AND (c.issued_on IS NOT NULL OR c.state IN ('refused', 'rejected', 'terminated'));
UPDATE supervision_finding SET rectified_late = true
 WHERE (rectified_at AT TIME ZONE 'Asia/Shanghai')::date > due_on;
UPDATE inspection SET rectified_late = true
 WHERE (rectified_at AT TIME ZONE 'Asia/Shanghai')::date > due_on;

-- 0090, and whether a day had passed.
CREATE OR REPLACE VIEW inspection_figure WITH (security_barrier) AS
SELECT i.office_id, i.due_on, i.state, i.rectified_at, i.rectified_late
  FROM inspection i
 WHERE i.due_on IS NOT NULL AND i.state IN ('notified', 'rectified', 'closed')
   AND (current_user <> 'notary_hub_people'
        OR (SELECT scope_role_is('analyst', 'supervisor')) OR i.office_id = (SELECT scope_office()));
