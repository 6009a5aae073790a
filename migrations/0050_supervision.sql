-- Supervision (杭司〔2012〕122号): what cases carry for its rules, findings and their life, offices' licences and
-- practice areas, filings of every kind; policies as in 0043. Locks: ACCESS EXCLUSIVE on case_record and filing for the change of the
-- catalogue alone (columns are nullable or have constant defaults, no row is rewritten); the rest creates.

ALTER TABLE case_record
    ADD COLUMN approved_on         date,
    ADD COLUMN approver_licence_no text COLLATE "C",
    ADD COLUMN certificates        integer;           -- that the fee was charged for; NULL: one

-- What the bureau has on file of an office, and what the public may know of it. An office without a row is judged by
-- the law alone: every matter of the catalogue, everywhere.
CREATE TABLE office_profile (
    office_id          text COLLATE "C" PRIMARY KEY REFERENCES office,
    licence_no         text COLLATE "C",
    matters_excluded   text[] NOT NULL DEFAULT '{}',  -- codes of the catalogue that the licence does not cover
    foreign_allowed    boolean NOT NULL DEFAULT true, -- 涉外、涉港澳、涉台
    practice_area      text[] NOT NULL DEFAULT '{}',  -- beginnings of GB/T 2260 codes, e.g. 3301; empty: not fixed
    keeps_approval     boolean NOT NULL DEFAULT false,-- its system reports approvals, so that a missing one is a fact
    address            text NOT NULL DEFAULT '',
    telephone          text NOT NULL DEFAULT '',
    opening_hours      text NOT NULL DEFAULT '',
    complaint_line     text NOT NULL DEFAULT '',
    services           text NOT NULL DEFAULT '',      -- what it publishes of scope, procedure, notes and pledges
    updated_at         timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE office_profile IS '公证机构执业信息';

CREATE TABLE notary (
    office_id  text COLLATE "C" NOT NULL REFERENCES office,
    licence_no text COLLATE "C" NOT NULL,
    name       text NOT NULL,
    title      text NOT NULL DEFAULT '公证员',
    active     boolean NOT NULL DEFAULT true,
    PRIMARY KEY (office_id, licence_no)
);
CREATE UNIQUE INDEX notary_practises_once ON notary (licence_no) WHERE active; -- 公证法 art. 23 (1)
COMMENT ON TABLE notary IS '公证员';

-- Cases that wait for the rules: one row per office and ingest transaction, as in link_work.
CREATE TABLE supervision_work (
    work_id         uuid PRIMARY KEY,
    office_id       text COLLATE "C" NOT NULL,
    source_case_ids text[] NOT NULL,             -- empty: what the office filed
    enqueued_at     timestamptz NOT NULL DEFAULT now(),
    leased_until    timestamptz
);
CREATE INDEX supervision_work_waiting ON supervision_work (enqueued_at);

-- Days on which a case comes before the rules again though nothing happened to it: a limit passes.
CREATE TABLE supervision_look (
    office_id      text COLLATE "C" NOT NULL,
    source_case_id text COLLATE "C" NOT NULL,
    look_on        date NOT NULL,
    PRIMARY KEY (office_id, source_case_id)
);
CREATE INDEX supervision_look_due ON supervision_look (look_on);

-- What a rule points at. `about` is a case's key, a filing's id or a range of special paper.
CREATE TABLE supervision_finding (
    finding_id     uuid PRIMARY KEY,
    office_id      text COLLATE "C" NOT NULL,
    rule_id        text COLLATE "C" NOT NULL,
    about          text COLLATE "C" NOT NULL CHECK (about IN ('case', 'filing', 'paper')),
    about_key      text COLLATE "C" NOT NULL,
    severity       text COLLATE "C" NOT NULL CHECK (severity IN ('serious', 'ordinary', 'notice')),
    evidence       jsonb NOT NULL,               -- codes, days and amounts; never a person's data
    facts          bytea NOT NULL,               -- SHA-256 of the evidence
    rules_version  text COLLATE "C" NOT NULL,
    happened_on    date,                         -- day that the figures count it on
    state          text COLLATE "C" NOT NULL DEFAULT 'open'
                   CHECK (state IN ('open', 'notified', 'rectified', 'verified', 'dismissed')),
    found_at       timestamptz NOT NULL,
    cleared_at     timestamptz,                  -- the rule does not hit any more
    notified_at    timestamptz,                  -- an office sees what it was notified of
    due_on         date,                         -- of the rectification
    rectified_at   timestamptz,
    ended_at       timestamptz
);
CREATE UNIQUE INDEX supervision_finding_of ON supervision_finding (office_id, about, about_key, rule_id);
CREATE INDEX supervision_finding_newest ON supervision_finding (found_at DESC, finding_id DESC);
CREATE INDEX supervision_finding_due ON supervision_finding (due_on) WHERE state = 'notified';
COMMENT ON TABLE supervision_finding IS '监督发现的问题';

-- Every step of a finding's life; nothing is deleted.
CREATE TABLE supervision_step (
    finding_id uuid NOT NULL,
    step_no    integer NOT NULL,
    step       text COLLATE "C" NOT NULL,
    state      text COLLATE "C" NOT NULL,        -- after it
    reason     text NOT NULL,
    facts      bytea NOT NULL,                   -- that it was taken on
    taken_by   uuid,                             -- account; NULL: the hub, because the facts changed
    taken_at   timestamptz NOT NULL,
    PRIMARY KEY (finding_id, step_no)
);

-- Filings of every kind.
ALTER TABLE filing
    ADD COLUMN detail      jsonb NOT NULL DEFAULT '{}',
    ADD COLUMN happened_on date,                 -- day of the event, or last day of the period, that it is about
    ADD COLUMN due_on      date,                 -- last day on which it was in time
    ADD COLUMN about       uuid,                 -- the filing that this one closes
    ADD COLUMN filed_by    uuid;                 -- account; NULL: the office's agent
CREATE INDEX filing_of_case ON filing (office_id, source_case_id) WHERE source_case_id IS NOT NULL;
CREATE INDEX filing_by_kind ON filing (office_id, kind, recorded_at);
CREATE INDEX filing_closing ON filing (office_id, about) WHERE about IS NOT NULL;

-- Near relatives of notaries (公证法 art. 23 (3)): tokens alone. A newer declaration of a notary replaces the older.
CREATE TABLE recusal (
    office_id  text COLLATE "C" NOT NULL,
    licence_no text COLLATE "C" NOT NULL,
    token      bytea NOT NULL,                   -- keyed token, 16 bytes
    relation   text COLLATE "C" NOT NULL,
    filing_id  uuid NOT NULL,
    PRIMARY KEY (office_id, licence_no, token)
);
CREATE INDEX recusal_by_token ON recusal USING hash (token);
COMMENT ON TABLE recusal IS '回避申报';

-- 公证专用水印纸: serial numbers that came, went and were spoiled.
CREATE TABLE special_paper (
    office_id      text COLLATE "C" NOT NULL,
    filing_id      uuid NOT NULL,
    ordinal        smallint NOT NULL,
    movement       text COLLATE "C" NOT NULL CHECK (movement IN ('received', 'used', 'spoiled')),
    series         text COLLATE "C" NOT NULL,
    first_no       bigint NOT NULL,
    last_no        bigint NOT NULL CHECK (last_no >= first_no),
    source_case_id text COLLATE "C",
    moved_on       date NOT NULL,
    PRIMARY KEY (office_id, filing_id, ordinal)
);
COMMENT ON TABLE special_paper IS '公证专用水印纸收发';

-- Reminders that were sent, so that each is sent once.
CREATE TABLE filing_reminder (
    office_id text COLLATE "C" NOT NULL,
    kind      text COLLATE "C" NOT NULL,
    about     text COLLATE "C" NOT NULL,         -- a case's key, a filing's id, or the last day of a period
    sent_at   timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (office_id, kind, about)
);

-- Row-level security. An office reads of what it was notified and of what it filed; what a rule points at before that
-- is the bureau's. Figures count findings, so an analyst reads these and none of the steps.

GRANT SELECT ON supervision_finding, supervision_step, filing TO notary_hub_people;

ALTER TABLE supervision_finding ENABLE ROW LEVEL SECURITY;
CREATE POLICY supervision_finding_for_people ON supervision_finding FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor'))
    OR (office_id = (SELECT scope_office()) AND notified_at IS NOT NULL));

ALTER TABLE supervision_step ENABLE ROW LEVEL SECURITY;
CREATE POLICY supervision_step_for_people ON supervision_step FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor'))
    OR EXISTS (SELECT FROM supervision_finding f WHERE f.finding_id = supervision_step.finding_id
                                                    AND f.office_id = (SELECT scope_office())));

ALTER TABLE filing ENABLE ROW LEVEL SECURITY;
CREATE POLICY filing_for_people ON filing FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor')) OR office_id = (SELECT scope_office()));
