-- Figures for Superset, Metabase and Grafana: a role that reads, and the views it may read. Locks: creates only.
--
-- Cells of 1 to 4 cases are left out, and where a month has just one such cell of a measure, the next larger one too, so
-- that it does not follow from the sum of the others. No view cuts by office and matter at once: what two views have in
-- common is their total.

CREATE VIEW bi_office_month AS
WITH cells AS (
    SELECT r.office_id, r.begins_on AS month, m.measure, sum(m.value)::bigint AS value,
           CASE m.measure WHEN 'accepted' THEN sum(r.fee_charged_fen)::bigint END AS fee_charged_fen,
           CASE m.measure WHEN 'accepted' THEN sum(r.fee_reduced_fen)::bigint END AS fee_reduced_fen
      FROM rollup r
     CROSS JOIN LATERAL (VALUES ('applied', r.applied), ('accepted', r.accepted), ('refused', r.refused),
                                ('issued', r.issued), ('rejected', r.rejected), ('terminated', r.terminated),
                                ('corrected', r.corrected), ('revoked', r.revoked)) AS m (measure, value)
     WHERE r.cut = 'matter'
     GROUP BY 1, 2, 3
), ranked AS (
    SELECT *, value BETWEEN 1 AND 4 AS small,
           count(*) FILTER (WHERE value BETWEEN 1 AND 4) OVER (PARTITION BY month, measure) AS smalls,
           row_number() OVER (PARTITION BY month, measure, value > 4 ORDER BY value, office_id) AS place
      FROM cells
), shown AS (
    SELECT *, small OR (smalls = 1 AND value > 4 AND place = 1) AS suppressed FROM ranked
)
SELECT s.office_id, o.name AS office_name, o.level, o.district_code, s.month, s.measure,
       CASE WHEN NOT s.suppressed THEN s.value END AS value,
       CASE WHEN NOT s.suppressed THEN s.fee_charged_fen / 100.0 END AS fee_charged_yuan,
       CASE WHEN NOT s.suppressed THEN s.fee_reduced_fen / 100.0 END AS fee_reduced_yuan,
       s.suppressed
  FROM shown s JOIN office o USING (office_id);
COMMENT ON VIEW bi_office_month IS '各公证处分月统计（小单元格已隐去）';
COMMENT ON COLUMN bi_office_month.month IS '月份，以当月第一日表示';
COMMENT ON COLUMN bi_office_month.measure IS '指标：applied 申请、accepted 受理、refused 不予受理、issued 出证、rejected 不予办理、terminated 终止、corrected 更正、revoked 撤销';
COMMENT ON COLUMN bi_office_month.value IS '件数；小于五件的，以及由其余单元格可推算的，为空';
COMMENT ON COLUMN bi_office_month.fee_charged_yuan IS '收费（元），仅受理一行有值';
COMMENT ON COLUMN bi_office_month.fee_reduced_yuan IS '减免（元），仅受理一行有值';
COMMENT ON COLUMN bi_office_month.suppressed IS '是否已隐去';

CREATE VIEW bi_matter_month AS
WITH cells AS (
    SELECT r.matter_type, r.begins_on AS month, m.measure, sum(m.value)::bigint AS value
      FROM rollup r
     CROSS JOIN LATERAL (VALUES ('applied', r.applied), ('accepted', r.accepted), ('refused', r.refused),
                                ('issued', r.issued), ('rejected', r.rejected), ('terminated', r.terminated),
                                ('corrected', r.corrected), ('revoked', r.revoked)) AS m (measure, value)
     WHERE r.cut = 'matter'
     GROUP BY 1, 2, 3
), ranked AS (
    SELECT *, value BETWEEN 1 AND 4 AS small,
           count(*) FILTER (WHERE value BETWEEN 1 AND 4) OVER (PARTITION BY month, measure) AS smalls,
           row_number() OVER (PARTITION BY month, measure, value > 4 ORDER BY value, matter_type) AS place
      FROM cells
)
SELECT matter_type, month, measure,
       CASE WHEN NOT (small OR (smalls = 1 AND value > 4 AND place = 1)) THEN value END AS value,
       small OR (smalls = 1 AND value > 4 AND place = 1) AS suppressed
  FROM ranked;
COMMENT ON VIEW bi_matter_month IS '全市各公证事项分月统计（小单元格已隐去）';
COMMENT ON COLUMN bi_matter_month.matter_type IS '公证事项代码，名称见 /api/v1/statistics/measures';
COMMENT ON COLUMN bi_matter_month.month IS '月份，以当月第一日表示';
COMMENT ON COLUMN bi_matter_month.measure IS '指标，同 bi_office_month';
COMMENT ON COLUMN bi_matter_month.value IS '件数；小于五件的，以及由其余单元格可推算的，为空';
COMMENT ON COLUMN bi_matter_month.suppressed IS '是否已隐去';

CREATE VIEW bi_feed_day AS
SELECT office_id, day, samples, late_samples, longest_lag_seconds, most_waiting, records FROM feed_day;
COMMENT ON VIEW bi_feed_day IS '各公证处每日数据报送情况：取样次数、其中迟延次数、最长滞后（秒）、最多待报记录、当日入库记录';

-- It has no password until an operator gives it one. Without the right to make roles there is none: docs/operator.md
-- says what to do. Roles belong to the whole server, where another hub's database may have made it already.
DO $$
BEGIN
    CREATE ROLE notary_hub_bi LOGIN CONNECTION LIMIT 10;
    ALTER ROLE notary_hub_bi SET statement_timeout = '30s';
    ALTER ROLE notary_hub_bi SET default_transaction_read_only = on;
    ALTER ROLE notary_hub_bi SET idle_in_transaction_session_timeout = '60s';
EXCEPTION
    WHEN duplicate_object OR unique_violation THEN NULL;
    WHEN insufficient_privilege THEN RAISE NOTICE 'the role notary_hub_bi is for an operator to make';
END $$;
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'notary_hub_bi') THEN
        GRANT SELECT ON bi_office_month, bi_matter_month, bi_feed_day TO notary_hub_bi;
    END IF;
END $$;
