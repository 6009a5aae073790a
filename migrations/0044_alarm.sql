-- Alarms about look-ups that are no notary's work, and the identities planted to be touched by them. Locks: creates only.

CREATE TABLE honey_token (
    token      bytea PRIMARY KEY,                -- keyed token, 16 bytes, of a number that nobody has
    note       text NOT NULL,                    -- where it was planted
    planted_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE alarm (
    alarm_id      uuid PRIMARY KEY,              -- of its time, so that the newest is the greatest
    kind          text COLLATE "C" NOT NULL
                  CHECK (kind IN ('honey', 'many_subjects', 'many_misses', 'one_reference', 'office_subjects')),
    office_id     text COLLATE "C" NOT NULL,
    account_id    uuid,                          -- NULL: all of the office's notaries together
    audit_entry   bigint NOT NULL,               -- the look-up that raised it
    raised_at     timestamptz NOT NULL DEFAULT now(),
    lifted_by     uuid,
    lifted_at     timestamptz,
    lifted_reason text,
    CHECK ((lifted_by IS NULL) = (lifted_at IS NULL))
);
-- One open alarm says it; the next of its kind comes when somebody has looked at this one.
CREATE UNIQUE INDEX alarm_open ON alarm (office_id, kind, coalesce(account_id, '00000000-0000-0000-0000-000000000000'))
    WHERE lifted_at IS NULL;
COMMENT ON TABLE alarm IS '异常查询告警';

GRANT SELECT ON alarm TO notary_hub_people;
ALTER TABLE alarm ENABLE ROW LEVEL SECURITY;
CREATE POLICY alarm_for_people ON alarm FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor', 'operator')));
