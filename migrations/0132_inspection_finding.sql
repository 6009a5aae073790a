-- Findings of the rules that an inspection takes in. Locks nothing that is there: it creates alone.

CREATE TABLE inspection_finding (
    inspection_id uuid NOT NULL REFERENCES inspection,
    finding_id    uuid NOT NULL REFERENCES supervision_finding,
    PRIMARY KEY (inspection_id, finding_id)
);
COMMENT ON TABLE inspection_finding IS '纳入检查督导的监督问题';

-- As what was found on the spot (0051); of the finding itself its own policy decides.
GRANT SELECT ON inspection_finding TO notary_hub_people;
ALTER TABLE inspection_finding ENABLE ROW LEVEL SECURITY;
CREATE POLICY inspection_finding_for_people ON inspection_finding FOR SELECT TO notary_hub_people USING (
    EXISTS (SELECT FROM inspection i WHERE i.inspection_id = inspection_finding.inspection_id));
