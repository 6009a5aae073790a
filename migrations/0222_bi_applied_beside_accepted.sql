-- BI views leave `applied` out wherever they leave `accepted` out. An office that gives no day of application has as many of
-- the one as of the other, so that what a report leaves out would follow from what it does not have.
-- Locks: ACCESS EXCLUSIVE on two views for the change of the catalogue alone.
CREATE OR REPLACE VIEW bi_office_month AS
WITH cells AS (
    SELECT r.office_id, r.begins_on AS month, m.measure, coalesce(sum(m.value), 0)::bigint AS value,
           CASE m.measure WHEN 'accepted' THEN coalesce(sum(r.fee_charged_fen), 0)::bigint END AS fee_charged_fen,
           CASE m.measure WHEN 'accepted' THEN coalesce(sum(r.fee_reduced_fen), 0)::bigint END AS fee_reduced_fen
      FROM (TABLE rollup_cell UNION ALL TABLE rollup_delta) AS r
     CROSS JOIN LATERAL (VALUES ('applied', r.applied), ('accepted', r.accepted), ('refused', r.refused),
                                ('issued', r.issued), ('rejected', r.rejected), ('terminated', r.terminated),
                                ('corrected', r.corrected), ('revoked', r.revoked)) AS m (measure, value)
     WHERE r.cut = 'matter'
       AND (m.measure = 'applied' OR NOT EXISTS (SELECT FROM report_month p WHERE p.month = r.begins_on))
     GROUP BY 1, 2, 3
), ranked AS (
    SELECT *, value BETWEEN 1 AND 4 AS small,
           count(*) FILTER (WHERE value BETWEEN 1 AND 4) OVER (PARTITION BY month, measure) AS smalls,
           row_number() OVER (PARTITION BY month, measure, value > 4 ORDER BY value, office_id) AS place
      FROM cells
), shown AS (
    SELECT *, small OR (smalls = 1 AND value > 4 AND place = 1) AS suppressed FROM ranked
    UNION ALL
    SELECT p.code, p.month, p.measure, p.value::bigint,
           CASE WHEN p.measure = 'accepted' THEN charged.value::bigint END,
           CASE WHEN p.measure = 'accepted' THEN reduced.value::bigint END,
           false, 0, 0, p.withheld
      FROM report_month_cell p
      JOIN report_month_cell charged USING (month, cut, code)
      JOIN report_month_cell reduced USING (month, cut, code)
     WHERE p.cut = 'office' AND charged.measure = 'fee_charged_fen' AND reduced.measure = 'fee_reduced_fen'
       AND p.measure IN ('accepted', 'refused', 'issued', 'rejected', 'terminated', 'corrected', 'revoked')
), told AS (
    SELECT *, suppressed
              OR (measure = 'applied'
                  AND coalesce(bool_or(suppressed) FILTER (WHERE measure = 'accepted') OVER (PARTITION BY office_id, month), true))
              AS left_out
      FROM shown
)
SELECT s.office_id, o.name AS office_name, o.level, o.district_code, s.month, s.measure,
       CASE WHEN NOT s.left_out THEN s.value END AS value,
       CASE WHEN NOT s.left_out THEN s.fee_charged_fen / 100.0 END AS fee_charged_yuan,
       CASE WHEN NOT s.left_out THEN s.fee_reduced_fen / 100.0 END AS fee_reduced_yuan,
       s.left_out AS suppressed
  FROM told s JOIN office o USING (office_id);

CREATE OR REPLACE VIEW bi_matter_month AS
WITH cells AS (
    SELECT r.matter_type, r.begins_on AS month, m.measure, coalesce(sum(m.value), 0)::bigint AS value,
           m.measure <> 'applied' AND EXISTS (SELECT FROM report_month p WHERE p.month = r.begins_on) AS published
      FROM (TABLE rollup_cell UNION ALL TABLE rollup_delta) AS r
     CROSS JOIN LATERAL (VALUES ('applied', r.applied), ('accepted', r.accepted), ('refused', r.refused),
                                ('issued', r.issued), ('rejected', r.rejected), ('terminated', r.terminated),
                                ('corrected', r.corrected), ('revoked', r.revoked)) AS m (measure, value)
     WHERE r.cut = 'matter'
     GROUP BY 1, 2, 3
), ranked AS (
    SELECT *, value BETWEEN 1 AND 4 AS small,
           count(*) FILTER (WHERE value BETWEEN 1 AND 4) OVER (PARTITION BY month, measure) AS smalls,
           row_number() OVER (PARTITION BY month, measure, value > 4 ORDER BY value, matter_type) AS place,
           bool_or(value BETWEEN 1 AND 4) OVER (PARTITION BY month, measure, matter_group(matter_type)) AS small_in_group
      FROM cells
), shown AS (
    SELECT c.matter_type, c.month, c.measure, c.value,
           CASE WHEN c.published THEN c.small_in_group OR p.withheld
                ELSE c.small OR (c.smalls = 1 AND c.value > 4 AND c.place = 1) END AS suppressed
      FROM ranked c
      LEFT JOIN report_month_cell p ON c.published AND p.month = c.month AND p.cut = 'matter_group'
                                   AND p.code = matter_group(c.matter_type) AND p.measure = c.measure
     WHERE NOT c.published OR p.code IS NOT NULL
), told AS (
    SELECT *, suppressed
              OR (measure = 'applied'
                  AND coalesce(bool_or(suppressed) FILTER (WHERE measure = 'accepted') OVER (PARTITION BY matter_type, month), true))
              AS left_out
      FROM shown
)
SELECT matter_type, month, measure, CASE WHEN NOT left_out THEN value END AS value, left_out AS suppressed FROM told;
