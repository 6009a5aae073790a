-- Periodic filings that never came. Locks nothing that is there: it creates alone.

-- What an office had to hand in for a period, and did not within its time. Kept by supervision, which looks at every office
-- each day and whenever it files: a row goes when the filing comes, which counts as late from then on.
CREATE TABLE filing_missing (
    office_id text COLLATE "C" NOT NULL REFERENCES office,
    kind      text COLLATE "C" NOT NULL,
    first_day date NOT NULL,                     -- of the period
    last_day  date NOT NULL CHECK (last_day >= first_day),
    due_on    date NOT NULL,                     -- last day on which it was in time
    PRIMARY KEY (office_id, kind, last_day)
);
CREATE INDEX filing_missing_newest ON filing_missing (due_on DESC);
COMMENT ON TABLE filing_missing IS '逾期未报的定期报送';

-- Figures count them, so analysts read them as well.
GRANT SELECT ON filing_missing TO notary_hub_people;
ALTER TABLE filing_missing ENABLE ROW LEVEL SECURITY;
CREATE POLICY filing_missing_for_people ON filing_missing FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor')) OR office_id = (SELECT scope_office()));
