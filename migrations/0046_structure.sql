-- What offices were called, where they sat and under which office their figures count, from one day to the next.
-- Locks: creates only.

-- An office without a row here has always been what `office` says. One that has any has a row from the beginning of
-- time, so that every day has an answer.
CREATE TABLE office_period (
    office_id     text COLLATE "C" NOT NULL REFERENCES office,
    valid_from    date NOT NULL,
    name          text NOT NULL,
    level         text COLLATE "C" NOT NULL CHECK (level IN ('municipal', 'county')),
    district_code text COLLATE "C" NOT NULL CHECK (district_code ~ '^[0-9]{6}$'),
    counts_under  text COLLATE "C" NOT NULL REFERENCES office, -- itself, or the office it was part of or went into
    PRIMARY KEY (office_id, valid_from)
);
COMMENT ON TABLE office_period IS '公证处沿革';

GRANT SELECT ON office_period TO notary_hub_people;
ALTER TABLE office_period ENABLE ROW LEVEL SECURITY;
CREATE POLICY office_period_for_people ON office_period FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor', 'operator')) OR office_id = (SELECT scope_office()));
