-- Row-level security behind the application's own checks (docs/operator.md). Locks: ACCESS EXCLUSIVE on each table for
-- the change of the catalogue alone; no row is read. The hub's own role owns the tables and is not bound by any of it:
-- what is read on somebody's behalf is read as one of two roles that are, in a transaction that says for whom.
--
-- notary_hub_people   what a person reads, and what a notary reads through the office's agent. `notary_hub.role` and
--                     `notary_hub.office` say who that is; without them there is not a single row.
-- notary_hub_look_up  a look-up's search: every office's cases, but of sealed matters only those whose testator is
--                     named in `notary_hub.opened`.
--
-- What is granted to neither cannot be read on anybody's behalf; a new table begins like that.

-- Roles belong to the server, not to the database: they may be there already, from another database or made by an
-- administrator where the hub's role may not make any.
DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['notary_hub_people', 'notary_hub_look_up'] LOOP
        BEGIN
            IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted) THEN
                BEGIN
                    EXECUTE format('CREATE ROLE %I NOLOGIN', wanted);
                EXCEPTION WHEN duplicate_object OR unique_violation THEN
                    NULL; -- made at the same moment, for another database
                END;
            END IF;
            IF NOT pg_has_role(current_user, wanted, 'MEMBER') THEN
                EXECUTE format('GRANT %I TO %I', wanted, current_user);
            END IF;
            EXECUTE format('SET LOCAL ROLE %I', wanted);
            SET LOCAL ROLE NONE;
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION 'an administrator of the database has to run once: CREATE ROLE % NOLOGIN; GRANT % TO %',
                            wanted, wanted, quote_ident(current_user);
        END;
    END LOOP;
END $$;

-- Who reads. NULL, and therefore nobody, when nothing is set.

CREATE FUNCTION scope_office() RETURNS text LANGUAGE sql STABLE
RETURN nullif(current_setting('notary_hub.office', true), '');

CREATE FUNCTION scope_role_is(VARIADIC roles text[]) RETURNS boolean LANGUAGE sql STABLE
RETURN coalesce(current_setting('notary_hub.role', true) = ANY (roles), false);

CREATE FUNCTION scope_opened() RETURNS bytea[] LANGUAGE sql STABLE
RETURN (SELECT coalesce(array_agg(decode(token, 'hex')), '{}')
          FROM unnest(string_to_array(nullif(current_setting('notary_hub.opened', true), ''), ',')) AS token);

-- What an office may hear of. These look as the hub itself, so that no policy depends on another one's.
--
-- Sealed here is what the law seals whatever the rules in force say: a will, but to who settles the testator's estate.
-- Rules may seal more, which the application sees to; none can open a will.

CREATE FUNCTION matter_is_sealed(matter text) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN matter = 'will';

CREATE FUNCTION matter_opens_sealed(matter text) RETURNS boolean LANGUAGE sql IMMUTABLE
RETURN matter = 'inheritance';

-- Whether an open finding is about a case and one of the office's own, and the case is not sealed to that one.
CREATE FUNCTION office_is_told_of(own text, office text, source_case text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
    SELECT EXISTS (
        SELECT FROM (SELECT d.right_office AS office_id, d.right_case AS source_case_id FROM duplicate_finding d
                      WHERE d.left_office = office AND d.left_case = source_case AND d.right_office = own
                        AND d.closed_at IS NULL
                      UNION ALL
                     SELECT d.left_office, d.left_case FROM duplicate_finding d
                      WHERE d.right_office = office AND d.right_case = source_case AND d.left_office = own
                        AND d.closed_at IS NULL) AS mine
          JOIN case_record m ON m.office_id = mine.office_id AND m.source_case_id = mine.source_case_id
          JOIN case_record o ON o.office_id = office AND o.source_case_id = source_case
         WHERE NOT matter_is_sealed(o.matter_type) OR matter_opens_sealed(m.matter_type));
END;

-- Whether a node holds a mention of the office, or is linked or was judged together with one that does.
CREATE FUNCTION office_knows_node(own text, node uuid) RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM mention m WHERE m.node_id = node AND m.office_id = own)
        OR EXISTS (SELECT FROM link l JOIN mention m ON m.node_id = l.high WHERE l.low = node AND m.office_id = own)
        OR EXISTS (SELECT FROM link l JOIN mention m ON m.node_id = l.low WHERE l.high = node AND m.office_id = own)
        OR EXISTS (SELECT FROM link_judgement j
                     JOIN mention a ON a.mention_id = j.low
                     JOIN mention b ON b.mention_id = j.high
                     JOIN mention m ON m.node_id = CASE node WHEN a.node_id THEN b.node_id ELSE a.node_id END
                    WHERE node IN (a.node_id, b.node_id) AND m.office_id = own);
END;

REVOKE EXECUTE ON FUNCTION office_is_told_of(text, text, text), office_knows_node(text, uuid) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION office_is_told_of(text, text, text), office_knows_node(text, uuid) TO notary_hub_people;

-- Columns. No token, no key of a token, nothing of accounts but what names them.

GRANT SELECT (office_id, name, level, district_code, status, late_renewal_refused_at) ON office
    TO notary_hub_people, notary_hub_look_up;
GRANT SELECT (office_id, not_after, issued_at, late) ON certificate TO notary_hub_people;
GRANT SELECT ON sync_position, reject, quality_finding, duplicate_finding, duplicate_decision, link, link_judgement,
                rollup_month, details_request
    TO notary_hub_people;
GRANT SELECT (office_id, source_case_id, revision, state, case_no, matter_type, foreign_relation, place_of_use,
              applied_on, accepted_on, issued_on, closed_on, first_recorded_at) ON case_record
    TO notary_hub_people, notary_hub_look_up;
GRANT SELECT (office_id, source_case_id, ordinal, role, kind, name, sex, birth_date, id_kind, id_tail, address_district)
    ON party TO notary_hub_people;
GRANT SELECT (office_id, source_case_id, ordinal, role, kind, name, id_token) ON party TO notary_hub_look_up;
GRANT SELECT (office_id, source_case_id, ordinal, kind, token) ON subject TO notary_hub_look_up;
GRANT SELECT ON matter_key TO notary_hub_look_up;
GRANT SELECT (mention_id, office_id, source_case_id, ordinal, node_id) ON mention TO notary_hub_people;
GRANT SELECT (node_id, person_id) ON link_node TO notary_hub_people;
GRANT SELECT (entry_no, recorded_at, actor, office_id, action, outcome, purpose, case_reference, detail, chain_hash,
              salt, tree, pruned) ON audit_entry
    TO notary_hub_people;

-- Rows. A setting is read once for a statement, not for each row: hence the sub-selects.

ALTER TABLE office ENABLE ROW LEVEL SECURITY;
CREATE POLICY office_for_people ON office FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor', 'operator'))
    OR office_id = (SELECT scope_office())
    OR EXISTS (SELECT FROM details_request d
                WHERE office.office_id IN (d.asking_office, d.holding_office)));
CREATE POLICY office_for_look_up ON office FOR SELECT TO notary_hub_look_up USING (true);

ALTER TABLE certificate ENABLE ROW LEVEL SECURITY;
CREATE POLICY certificate_for_people ON certificate FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor', 'operator')) OR office_id = (SELECT scope_office()));

ALTER TABLE sync_position ENABLE ROW LEVEL SECURITY;
CREATE POLICY sync_position_for_people ON sync_position FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor', 'operator')) OR office_id = (SELECT scope_office()));

ALTER TABLE reject ENABLE ROW LEVEL SECURITY;
CREATE POLICY reject_for_people ON reject FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor', 'operator')) OR office_id = (SELECT scope_office()));

ALTER TABLE quality_finding ENABLE ROW LEVEL SECURITY;
CREATE POLICY quality_finding_for_people ON quality_finding FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor', 'operator')) OR office_id = (SELECT scope_office()));

ALTER TABLE rollup_month ENABLE ROW LEVEL SECURITY;
CREATE POLICY rollup_month_for_people ON rollup_month FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor')));

ALTER TABLE duplicate_finding ENABLE ROW LEVEL SECURITY;
CREATE POLICY duplicate_finding_for_people ON duplicate_finding FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor'))
    OR (left_office = (SELECT scope_office()) AND office_is_told_of(left_office, right_office, right_case))
    OR (right_office = (SELECT scope_office()) AND office_is_told_of(right_office, left_office, left_case)));

ALTER TABLE duplicate_decision ENABLE ROW LEVEL SECURITY;
CREATE POLICY duplicate_decision_for_people ON duplicate_decision FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor'))
    OR EXISTS (SELECT FROM duplicate_finding d WHERE d.finding_id = duplicate_decision.finding_id
                                                 AND (SELECT scope_office()) IN (d.left_office, d.right_office)));

ALTER TABLE mention ENABLE ROW LEVEL SECURITY;
CREATE POLICY mention_for_people ON mention FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor'))
    OR office_id = (SELECT scope_office())
    OR office_knows_node((SELECT scope_office()), node_id));

ALTER TABLE link_node ENABLE ROW LEVEL SECURITY;
CREATE POLICY link_node_for_people ON link_node FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor')) OR office_knows_node((SELECT scope_office()), node_id));

ALTER TABLE link ENABLE ROW LEVEL SECURITY;
CREATE POLICY link_for_people ON link FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor'))
    OR EXISTS (SELECT FROM mention m WHERE m.node_id = link.low AND m.office_id = (SELECT scope_office()))
    OR EXISTS (SELECT FROM mention m WHERE m.node_id = link.high AND m.office_id = (SELECT scope_office())));

ALTER TABLE link_judgement ENABLE ROW LEVEL SECURITY;
CREATE POLICY link_judgement_for_people ON link_judgement FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor'))
    OR (EXISTS (SELECT FROM mention m WHERE m.mention_id = link_judgement.low)
        AND EXISTS (SELECT FROM mention m WHERE m.mention_id = link_judgement.high)));

ALTER TABLE details_request ENABLE ROW LEVEL SECURITY;
CREATE POLICY details_request_for_people ON details_request FOR SELECT TO notary_hub_people USING (
    (SELECT scope_office()) IN (asking_office, holding_office));

-- Another office's case is heard of by a finding, by a person it shares, or by a request about it.
ALTER TABLE case_record ENABLE ROW LEVEL SECURITY;
CREATE POLICY case_record_for_people ON case_record FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('analyst', 'supervisor'))
    OR office_id = (SELECT scope_office())
    OR (NOT matter_is_sealed(matter_type)
        AND EXISTS (SELECT FROM mention m WHERE m.office_id = case_record.office_id
                                            AND m.source_case_id = case_record.source_case_id))
    OR office_is_told_of((SELECT scope_office()), office_id, source_case_id)
    OR EXISTS (SELECT FROM details_request d WHERE d.holding_office = case_record.office_id
                                               AND d.source_case_id = case_record.source_case_id));
CREATE POLICY case_record_for_look_up ON case_record FOR SELECT TO notary_hub_look_up USING (
    NOT matter_is_sealed(matter_type)
    OR EXISTS (SELECT FROM party p
                WHERE p.office_id = case_record.office_id AND p.source_case_id = case_record.source_case_id
                  AND p.role = 'testator' AND p.id_token = ANY ((SELECT scope_opened())::bytea[])));

-- Figures name no party; cases do.
ALTER TABLE party ENABLE ROW LEVEL SECURITY;
CREATE POLICY party_for_people ON party FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor'))
    OR office_id = (SELECT scope_office())
    OR ((SELECT scope_office()) IS NOT NULL
        AND EXISTS (SELECT FROM case_record c WHERE c.office_id = party.office_id
                                                AND c.source_case_id = party.source_case_id)));
CREATE POLICY party_for_look_up ON party FOR SELECT TO notary_hub_look_up USING (true);

ALTER TABLE subject ENABLE ROW LEVEL SECURITY;
CREATE POLICY subject_for_look_up ON subject FOR SELECT TO notary_hub_look_up USING (true);

-- A notary's own office's look-ups are what its requests to other offices rest on.
ALTER TABLE audit_entry ENABLE ROW LEVEL SECURITY;
CREATE POLICY audit_entry_for_people ON audit_entry FOR SELECT TO notary_hub_people USING (
    (SELECT scope_role_is('supervisor'))
    OR (office_id = (SELECT scope_office()) AND action LIKE 'lookup.%'));
