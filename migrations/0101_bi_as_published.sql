-- BI views beside published reports (docs/statistics.md). What a report leaves out must not follow from a view: so of a
-- month that lies in a published period of whatever length, the views say what the newest issue of that very month says,
-- and nothing where the month itself was not published. Months that no report covers are counted as ever. `applied` is
-- in no report, and adds up to nothing that is. Cells and what is not added to them yet are read as `rollup` has them;
-- through that view the tables would ask for the reader's own rights.
-- Locks: ACCESS EXCLUSIVE on two views for the change of the catalogue alone.

-- Not for BI tools: what they are granted is the views below.

CREATE VIEW report_month AS
SELECT m.month::date AS month, n.content
  FROM (SELECT DISTINCT month
          FROM report_issue i
         CROSS JOIN LATERAL generate_series(i.begins_on::timestamp,
                                            i.begins_on + CASE i.grain WHEN 'year' THEN interval '11 months'
                                                                       WHEN 'half_year' THEN interval '5 months'
                                                                       WHEN 'quarter' THEN interval '2 months'
                                                                       ELSE interval '0' END,
                                            interval '1 month') AS month) AS m
  LEFT JOIN (SELECT DISTINCT ON (begins_on) begins_on, content::jsonb AS content
               FROM report_issue WHERE grain = 'month' ORDER BY begins_on, issue DESC) AS n ON n.begins_on = m.month::date;
COMMENT ON VIEW report_month IS '已公布的月份及其最近一次封账内容';

CREATE VIEW report_month_cell AS
SELECT m.month, t ->> 'by' AS cut, r ->> 'code' AS code, head ->> 'code' AS measure,
       (r -> 'cells' -> (at::integer - 1) ->> 'value')::numeric AS value,
       (r -> 'cells' -> (at::integer - 1) ->> 'withheld')::boolean AS withheld
  FROM report_month m
 CROSS JOIN LATERAL jsonb_array_elements(m.content -> 'tables') AS t
 CROSS JOIN LATERAL jsonb_array_elements(t -> 'rows') AS r
 CROSS JOIN LATERAL jsonb_array_elements(m.content -> 'columns') WITH ORDINALITY AS c (head, at);
COMMENT ON VIEW report_month_cell IS '已封账月报的单元格';

-- 公证类别 of the matters, as in the catalogue; a test holds them equal.
CREATE FUNCTION matter_group(matter text) RETURNS text LANGUAGE sql IMMUTABLE
RETURN CASE
    WHEN matter IN ('inheritance', 'will', 'mandate', 'declaration', 'gift', 'contract', 'property_division', 'tender',
                    'guardianship') THEN 'legal_act'
    WHEN matter IN ('marriage', 'kinship', 'adoption', 'birth', 'survival', 'death', 'identity', 'residence', 'experience',
                    'education', 'post', 'criminal_record') THEN 'personal_fact'
    WHEN matter IN ('articles_of_association', 'signature', 'copy') THEN 'document'
    WHEN matter = 'evidence_preservation' THEN 'evidence'
    WHEN matter = 'enforceable_debt' THEN 'enforceable_debt'
    WHEN matter IN ('deposit', 'safekeeping', 'registration') THEN 'service'
    WHEN matter = 'other' THEN 'other'
END;

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
)
SELECT s.office_id, o.name AS office_name, o.level, o.district_code, s.month, s.measure,
       CASE WHEN NOT s.suppressed THEN s.value END AS value,
       CASE WHEN NOT s.suppressed THEN s.fee_charged_fen / 100.0 END AS fee_charged_yuan,
       CASE WHEN NOT s.suppressed THEN s.fee_reduced_fen / 100.0 END AS fee_reduced_yuan,
       s.suppressed
  FROM shown s JOIN office o USING (office_id);
COMMENT ON VIEW bi_office_month IS '各公证处分月统计（小单元格已隐去；已公布时期按刊发口径）';

-- Matters of a published month: a group's are shown when the issue shows the group and none of them is small, and none of
-- the group otherwise. A group that the issue shows would give the one that is left out away.
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
)
SELECT matter_type, month, measure, CASE WHEN NOT suppressed THEN value END AS value, suppressed FROM shown;
COMMENT ON VIEW bi_matter_month IS '全市各公证事项分月统计（小单元格已隐去；已公布时期与月报一并隐去）';
