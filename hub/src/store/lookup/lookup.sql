-- Cases with an equal party or subject, or named, the most recently accepted first.
-- $1 party tokens, $2 subject tokens, $3 most behind one token, $4 closed matters, $5 to $7 what is opened of them:
-- matter, role and token of who stands in it, $8 most in all, $9 and $10 cases of persons: office
-- and key. Where there is more than is read, a row says so and nothing else counts: see lookup_crowded.sql. Where another
-- office than $12 has an intent behind one of the keys $11, not about a matter of $13, a row says that.
WITH same AS (
    SELECT p.office_id, p.source_case_id, 1 AS ground, t.token
      FROM unnest($1::bytea[]) AS t (token)
     CROSS JOIN LATERAL (SELECT office_id, source_case_id FROM party
                          WHERE id_token = t.token LIMIT $3) AS p
     UNION ALL
    SELECT s.office_id, s.source_case_id, 2, t.token
      FROM unnest($2::bytea[]) AS t (token)
     CROSS JOIN LATERAL (SELECT office_id, source_case_id FROM subject
                          WHERE token = t.token LIMIT $3) AS s
     UNION ALL
    SELECT k.office_id COLLATE "C", k.source_case_id COLLATE "C", 3, NULL
      FROM unnest($9::text[], $10::text[]) AS k (office_id, source_case_id)),
counted AS (
    SELECT office_id, source_case_id, bool_or(ground = 1) AS by_identifier,
           bool_or(ground = 2) AS by_subject, array_remove(array_agg(token), NULL) AS tokens,
           sum(count(*)) OVER () AS looked_at
      FROM same GROUP BY office_id, source_case_id),
newest AS (
    SELECT c.office_id, c.source_case_id, c.case_no, c.matter_type, c.state, c.place_of_use, c.applied_on,
           c.accepted_on, c.first_recorded_at, f.by_identifier, f.by_subject, f.tokens
      FROM counted f
      JOIN case_record c ON c.office_id = f.office_id AND c.source_case_id = f.source_case_id
     WHERE c.state <> 'withdrawn'
       AND (c.matter_type <> ALL ($4::text[]) OR EXISTS (
           SELECT FROM unnest($5::text[], $6::text[], $7::bytea[]) AS o (matter_type, role, token)
             JOIN party p ON p.role = o.role AND p.id_token = o.token
            WHERE o.matter_type = c.matter_type
              AND p.office_id = c.office_id AND p.source_case_id = c.source_case_id))
     ORDER BY c.accepted_on DESC NULLS LAST, c.office_id, c.source_case_id
     LIMIT $8)
(SELECT n.office_id AS "office_id!", o.name AS "office_name!", n.source_case_id AS "source_case_id!",
        n.case_no, n.matter_type AS "matter_type!", n.state AS "state!", n.place_of_use, n.applied_on,
        n.accepted_on, n.first_recorded_at AS "first_recorded_at!", n.by_identifier AS "by_identifier!",
        n.by_subject AS "by_subject!", n.tokens AS "tokens!", false AS "is_cut!", false AS "is_intent!",
        ARRAY (SELECT p.kind FROM party p WHERE p.office_id = n.office_id
                  AND p.source_case_id = n.source_case_id ORDER BY p.ordinal) AS "kinds!",
        ARRAY (SELECT p.name FROM party p WHERE p.office_id = n.office_id
                  AND p.source_case_id = n.source_case_id ORDER BY p.ordinal) AS "names!",
        ARRAY (SELECT k.key FROM matter_key k WHERE k.office_id = n.office_id
                  AND k.source_case_id = n.source_case_id ORDER BY k.key) AS "keys!"
   FROM newest n JOIN office o ON o.office_id = n.office_id
  ORDER BY n.accepted_on DESC NULLS LAST, n.office_id, n.source_case_id)
 UNION ALL
(SELECT '', '', '', NULL, '', '', NULL, NULL, NULL, now(), false, false, '{}', true, false, '{}', '{}', '{}'
   FROM counted WHERE looked_at >= $3 LIMIT 1)
 UNION ALL
(SELECT '', '', '', NULL, '', '', NULL, NULL, NULL, now(), false, false, '{}', false, true, '{}', '{}', '{}'
   FROM lookup_intent WHERE key = ANY ($11::bytea[]) AND office_id <> $12 AND expires_at > clock_timestamp()
    AND matter_type <> ALL ($13::text[]) LIMIT 1)
