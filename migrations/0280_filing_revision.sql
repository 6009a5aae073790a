-- Corrections of what offices counted for a time (paper, services, surveys, follow-ups): a filing stands as it was corrected
-- last, and what it said before is kept. Locks: ACCESS EXCLUSIVE on filing while its rows are read once, some ten thousand of
-- them, and on a view for the change of the catalogue.

ALTER TABLE filing
    ADD COLUMN revision          integer NOT NULL DEFAULT 1,
    ADD COLUMN corrected_at      timestamptz,    -- when this revision came; NULL: the first
    ADD COLUMN corrected_by      uuid,
    ADD COLUMN correction_reason text,
    ADD CHECK ((revision = 1) = (corrected_at IS NULL AND corrected_by IS NULL AND correction_reason IS NULL));

-- What a filing said before it was corrected. Nothing changes it.
CREATE TABLE filing_former (
    office_id   text COLLATE "C" NOT NULL,
    filing_id   uuid NOT NULL,
    revision    integer NOT NULL,
    detail      jsonb NOT NULL,
    text        text NOT NULL,
    digest      bytea,                           -- as in filing
    recorded_at timestamptz NOT NULL,            -- when this revision came
    filed_by    uuid,                            -- account; NULL: the office's agent
    reason      text,                            -- why it came; NULL: the first
    PRIMARY KEY (office_id, filing_id, revision)
);
COMMENT ON TABLE filing_former IS '报送更正前的内容';

-- An office corrects its own; whoever reads a filing reads what it said before.
GRANT UPDATE (detail, text, digest, revision, corrected_at, corrected_by, correction_reason) ON filing
    TO notary_hub_people;
CREATE POLICY filing_corrected ON filing FOR UPDATE TO notary_hub_people USING (
    (SELECT scope_role_is('notary')) AND office_id = (SELECT scope_office()));

GRANT SELECT, INSERT ON filing_former TO notary_hub_people;
ALTER TABLE filing_former ENABLE ROW LEVEL SECURITY;
CREATE POLICY filing_former_for_people ON filing_former FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor')) OR office_id = (SELECT scope_office()));
CREATE POLICY filing_former_kept ON filing_former FOR INSERT TO notary_hub_people WITH CHECK (
    (SELECT scope_role_is('notary')) AND office_id = (SELECT scope_office()));

-- Of several surveys of a time the last word is the one that was filed or corrected last.
CREATE OR REPLACE VIEW filing_figure WITH (security_barrier) AS
SELECT f.office_id, f.kind, f.happened_on, (f.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS recorded_on, f.due_on,
       a.answers, a.score, f.items_met, f.items,
       f.kind NOT IN ('satisfaction', 'self_assessment')
       OR NOT EXISTS (SELECT FROM filing n
                       WHERE n.office_id = f.office_id AND n.kind = f.kind AND n.happened_on = f.happened_on
                         AND (coalesce(n.corrected_at, n.recorded_at), n.filing_id)
                             > (coalesce(f.corrected_at, f.recorded_at), f.filing_id)) AS newest
  FROM filing f
  LEFT JOIN LATERAL (SELECT sum(k.given::bigint)::bigint AS answers, sum(k.given::bigint * k.score)::bigint AS score
                       FROM jsonb_array_elements_text(f.detail -> 'answers') WITH ORDINALITY AS k (given, score)
                      WHERE f.kind = 'satisfaction') a ON true
 WHERE current_user <> 'notary_hub_people'
    OR (SELECT scope_role_is('analyst', 'supervisor')) OR f.office_id = (SELECT scope_office());
