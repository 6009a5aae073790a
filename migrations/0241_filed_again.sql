-- Which survey and which self-assessment of a time is the office's last word. Locks: ACCESS EXCLUSIVE on a view for the
-- change of the catalogue alone.
CREATE OR REPLACE VIEW filing_figure WITH (security_barrier) AS
SELECT f.office_id, f.kind, f.happened_on, (f.recorded_at AT TIME ZONE 'Asia/Shanghai')::date AS recorded_on, f.due_on,
       a.answers, a.score, f.items_met, f.items,
       f.kind NOT IN ('satisfaction', 'self_assessment')
       OR NOT EXISTS (SELECT FROM filing n
                       WHERE n.office_id = f.office_id AND n.kind = f.kind AND n.happened_on = f.happened_on
                         AND (n.recorded_at, n.filing_id) > (f.recorded_at, f.filing_id)) AS newest
  FROM filing f
  LEFT JOIN LATERAL (SELECT sum(k.given::bigint)::bigint AS answers, sum(k.given::bigint * k.score)::bigint AS score
                       FROM jsonb_array_elements_text(f.detail -> 'answers') WITH ORDINALITY AS k (given, score)
                      WHERE f.kind = 'satisfaction') a ON true
 WHERE current_user <> 'notary_hub_people'
    OR (SELECT scope_role_is('analyst', 'supervisor')) OR f.office_id = (SELECT scope_office());
