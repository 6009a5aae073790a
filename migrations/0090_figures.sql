-- Figures of what is no case: persons, duplicates, findings, filings, rectifications. Locks: ACCESS EXCLUSIVE on filing for
-- the change of the catalogue alone; the indexes build under SHARE locks on findings and filings, seconds at most, in
-- which cases are not judged and duplicates not written.

-- What a self-assessment came to at the office's level of then; NULL for everything else, and for what was filed before
-- this, which the hub scores when it starts.
ALTER TABLE filing
    ADD COLUMN items_met smallint,
    ADD COLUMN items     smallint,
    ADD CHECK (items_met BETWEEN 0 AND items);

CREATE INDEX duplicate_finding_by_day ON duplicate_finding (((found_at AT TIME ZONE 'Asia/Shanghai')::date))
    WHERE closed_at IS NULL;
CREATE INDEX supervision_finding_by_day
    ON supervision_finding ((coalesce(happened_on, (found_at AT TIME ZONE 'Asia/Shanghai')::date)));
CREATE INDEX supervision_finding_by_due_day ON supervision_finding (due_on) WHERE due_on IS NOT NULL;
CREATE INDEX filing_by_event ON filing (happened_on);

-- Filings and inspections are the supervisors' to read; their figures are the analysts' as well. A view that is read by
-- the right of its owner says itself what it shows to whom.
CREATE VIEW filing_figure WITH (security_barrier) AS
SELECT f.office_id, f.kind, f.happened_on, (f.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS recorded_on, f.due_on,
       a.answers, a.score, f.items_met, f.items
  FROM filing f
  LEFT JOIN LATERAL (SELECT sum(k.given::bigint)::bigint AS answers, sum(k.given::bigint * k.score)::bigint AS score
                       FROM jsonb_array_elements_text(f.detail -> 'answers') WITH ORDINALITY AS k (given, score)
                      WHERE f.kind = 'satisfaction') a ON true
 WHERE current_user <> 'notary_hub_people'
    OR (SELECT scope_role_is('analyst', 'supervisor')) OR f.office_id = (SELECT scope_office());
COMMENT ON VIEW filing_figure IS '各类报送的统计口径';

CREATE VIEW inspection_figure WITH (security_barrier) AS
SELECT i.office_id, i.due_on, i.state, i.rectified_at
  FROM inspection i
 WHERE i.due_on IS NOT NULL AND i.state IN ('notified', 'rectified', 'closed')
   AND (current_user <> 'notary_hub_people'
        OR (SELECT scope_role_is('analyst', 'supervisor')) OR i.office_id = (SELECT scope_office()));
COMMENT ON VIEW inspection_figure IS '检查督导整改的统计口径';

GRANT SELECT ON filing_figure, inspection_figure TO notary_hub_people;

-- The persons of an office's cases accepted in a month, each once, counted anew every night. A number says who is the
-- same within one counting, and nothing beyond it.
CREATE TABLE person_month (
    office_id text COLLATE "C" NOT NULL,
    month     date NOT NULL,
    persons   integer[] NOT NULL,
    PRIMARY KEY (office_id, month)
);
CREATE INDEX person_month_by_month ON person_month (month);
COMMENT ON TABLE person_month IS '各公证处分月服务对象';
GRANT SELECT ON person_month TO notary_hub_people;
ALTER TABLE person_month ENABLE ROW LEVEL SECURITY;
CREATE POLICY person_month_for_people ON person_month FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor')) OR office_id = (SELECT scope_office()));
