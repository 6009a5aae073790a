-- How complete and how fresh offices' feeds were, day by day, and how often offices looked something up. Locks: creates
-- only.

-- Sampled every ten minutes by whichever hub comes first, from sequences and from when feeds were last up to date.
CREATE TABLE feed_day (
    office_id           text COLLATE "C" NOT NULL,
    day                 date NOT NULL,                   -- Asia/Shanghai
    samples             integer NOT NULL,
    late_samples        integer NOT NULL,                -- more than a working day behind, or never up to date
    longest_lag_seconds bigint NOT NULL,                 -- since the feed was last known to be up to date
    most_waiting        bigint NOT NULL,                 -- records that the agent said still wait at it
    records             bigint NOT NULL,                 -- committed since the day's first sample, by sequence
    epoch               uuid,                            -- where the last sample found the feed
    sequence            bigint NOT NULL,
    sampled_at          timestamptz NOT NULL,
    PRIMARY KEY (office_id, day)
);
CREATE INDEX feed_day_by_day ON feed_day (day);
COMMENT ON TABLE feed_day IS '各公证处数据报送情况';

-- Look-ups by office and day, counted from the audit log, each entry once.
CREATE TABLE lookup_day (
    office_id text COLLATE "C" NOT NULL,
    day       date NOT NULL,                             -- Asia/Shanghai
    hit       bigint NOT NULL,
    no_hit    bigint NOT NULL,
    denied    bigint NOT NULL,
    PRIMARY KEY (office_id, day)
);
COMMENT ON TABLE lookup_day IS '各公证处核查情况';
CREATE TABLE lookup_counted (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    entry_no bigint NOT NULL                             -- the last audit entry that was counted
);
INSERT INTO lookup_counted (entry_no) VALUES (0);

GRANT SELECT ON feed_day, lookup_day TO notary_hub_people;
ALTER TABLE feed_day ENABLE ROW LEVEL SECURITY;
CREATE POLICY feed_day_for_people ON feed_day FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor', 'operator')) OR office_id = (SELECT scope_office()));
ALTER TABLE lookup_day ENABLE ROW LEVEL SECURITY;
CREATE POLICY lookup_day_for_people ON lookup_day FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor')) OR office_id = (SELECT scope_office()));

-- How many cases an office has is what completeness is measured by, which operators see as well.
CREATE POLICY rollup_of_days_for_operators ON rollup FOR SELECT TO notary_hub_people USING (
    cut = 'day' AND (SELECT scope_role_is('operator')));
