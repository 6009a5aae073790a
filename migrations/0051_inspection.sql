-- Inspections (杭司〔2012〕122号 四(三): 检查督导、通报、整改、跟踪问效). Locks nothing that is there: it creates alone.

CREATE TABLE inspection (
    inspection_id uuid PRIMARY KEY,
    office_id     text COLLATE "C" NOT NULL REFERENCES office,
    subject       text NOT NULL,                 -- what is looked at
    planned_on    date NOT NULL,
    state         text COLLATE "C" NOT NULL DEFAULT 'planned'
                  CHECK (state IN ('planned', 'recorded', 'notified', 'rectified', 'closed')),
    notified_at   timestamptz,                   -- of the first notice (通报); the office sees it from then on
    due_on        date,                          -- of the rectification
    rectified_at  timestamptz,
    closed_at     timestamptz
);
CREATE INDEX inspection_newest ON inspection (planned_on DESC, inspection_id DESC);
COMMENT ON TABLE inspection IS '检查督导';

-- What was found on the spot.
CREATE TABLE inspection_item (
    inspection_id uuid NOT NULL REFERENCES inspection,
    item_no       integer NOT NULL,
    text          text NOT NULL,
    PRIMARY KEY (inspection_id, item_no)
);

-- Every step; nothing is deleted.
CREATE TABLE inspection_step (
    inspection_id uuid NOT NULL REFERENCES inspection,
    step_no       integer NOT NULL,
    step          text COLLATE "C" NOT NULL,
    state         text COLLATE "C" NOT NULL,     -- after it
    reason        text NOT NULL,
    due_on        date,                          -- that it set
    taken_by      uuid NOT NULL,                 -- account
    taken_at      timestamptz NOT NULL,
    PRIMARY KEY (inspection_id, step_no)
);

-- Row-level security (0043): an office reads of its own inspections once it was notified.

GRANT SELECT ON inspection, inspection_item, inspection_step TO notary_hub_people;

ALTER TABLE inspection ENABLE ROW LEVEL SECURITY;
CREATE POLICY inspection_for_people ON inspection FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor'))
    OR (office_id = (SELECT scope_office()) AND notified_at IS NOT NULL));

ALTER TABLE inspection_item ENABLE ROW LEVEL SECURITY;
CREATE POLICY inspection_item_for_people ON inspection_item FOR SELECT TO notary_hub_people USING (
    EXISTS (SELECT FROM inspection i WHERE i.inspection_id = inspection_item.inspection_id));

ALTER TABLE inspection_step ENABLE ROW LEVEL SECURITY;
CREATE POLICY inspection_step_for_people ON inspection_step FOR SELECT TO notary_hub_people USING (
    EXISTS (SELECT FROM inspection i WHERE i.inspection_id = inspection_step.inspection_id));
