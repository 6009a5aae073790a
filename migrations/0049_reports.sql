-- Period reports as they were published. Locks: creates only.

-- Each freezing of a month, quarter, half or year is one row for ever; what is published again is another.
CREATE TABLE report_issue (
    grain          text COLLATE "C" NOT NULL CHECK (grain IN ('month', 'quarter', 'half_year', 'year')),
    begins_on      date NOT NULL,
    issue          integer NOT NULL CHECK (issue >= 1),
    frozen_at      timestamptz NOT NULL,
    frozen_by      uuid NOT NULL,
    frozen_by_name text,                               -- as the account was called then
    reason         text,                               -- why it was published again
    content        text NOT NULL,                      -- JSON, the very bytes that the digest is of
    digest         bytea NOT NULL CHECK (digest = sha256(convert_to(content, 'UTF8'))),
    PRIMARY KEY (grain, begins_on, issue),
    CHECK ((issue = 1) = (reason IS NULL))
);
CREATE INDEX report_issue_by_time ON report_issue (begins_on);
COMMENT ON TABLE report_issue IS '已封账的统计报表';

-- What was published stays as it was, for the hub itself as well.
CREATE FUNCTION report_issue_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a published report is never changed or removed; publish it again with a reason';
END $$;
CREATE TRIGGER report_issue_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON report_issue
    FOR EACH STATEMENT EXECUTE FUNCTION report_issue_stays();

GRANT SELECT ON report_issue TO notary_hub_people;
ALTER TABLE report_issue ENABLE ROW LEVEL SECURITY;
CREATE POLICY report_issue_for_people ON report_issue FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor')));
