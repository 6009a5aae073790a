-- The same as lookup.sql where there is more than is told or read: behind a token that has more the cases of each office are
-- read for themselves, and each office's newest are told, so that no office's cases keep another's from being told.
-- $1 party tokens, $2 subject tokens, $3 most read behind one token, $4 closed matters, $5 to $7 what is opened of them:
-- matter, role and token of who stands in it, $8 most in all, $9 and $10 cases of persons: office
-- and key, $11 most read of each office behind a token that has more than $3.
WITH party_of AS MATERIALIZED (
    SELECT t.token, p.office_id, p.source_case_id
      FROM (SELECT DISTINCT unnest($1::bytea[])) AS t (token)
     CROSS JOIN LATERAL (SELECT office_id, source_case_id FROM party
                          WHERE id_token = t.token LIMIT $3) AS p),
subject_of AS MATERIALIZED (
    SELECT t.token, s.office_id, s.source_case_id
      FROM (SELECT DISTINCT unnest($2::bytea[])) AS t (token)
     CROSS JOIN LATERAL (SELECT office_id, source_case_id FROM subject
                          WHERE token = t.token LIMIT $3) AS s),
crowded AS MATERIALIZED (
    SELECT token, 1 AS ground FROM party_of GROUP BY token HAVING count(*) >= $3
     UNION ALL
    SELECT token, 2 FROM subject_of GROUP BY token HAVING count(*) >= $3),
same AS (
    SELECT office_id, source_case_id, 1 AS ground, token FROM party_of
     UNION ALL
    SELECT office_id, source_case_id, 2, token FROM subject_of
     UNION ALL
    SELECT p.office_id, p.source_case_id, 1, t.token
      FROM crowded t CROSS JOIN office o
     CROSS JOIN LATERAL (SELECT office_id, source_case_id FROM party
                          WHERE id_token = t.token AND office_id = o.office_id LIMIT $11) AS p
     WHERE t.ground = 1
     UNION ALL
    SELECT s.office_id, s.source_case_id, 2, t.token
      FROM crowded t CROSS JOIN office o
     CROSS JOIN LATERAL (SELECT office_id, source_case_id FROM subject
                          WHERE token = t.token AND office_id = o.office_id LIMIT $11) AS s
     WHERE t.ground = 2
     UNION ALL
    SELECT k.office_id COLLATE "C", k.source_case_id COLLATE "C", 3, NULL
      FROM unnest($9::text[], $10::text[]) AS k (office_id, source_case_id)),
counted AS (
    SELECT office_id, source_case_id, bool_or(ground = 1) AS by_identifier, bool_or(ground = 2) AS by_subject,
           array_remove(array_agg(token), NULL) AS tokens
      FROM same GROUP BY office_id, source_case_id),
told AS (
    SELECT c.office_id, c.source_case_id, c.case_no, c.matter_type, c.state, c.place_of_use, c.applied_on,
           c.accepted_on, c.first_recorded_at, f.by_identifier, f.by_subject, f.tokens,
           row_number() OVER (PARTITION BY c.office_id
                                  ORDER BY c.accepted_on DESC NULLS LAST, c.source_case_id) AS of_office
      FROM counted f
      JOIN case_record c ON c.office_id = f.office_id AND c.source_case_id = f.source_case_id
     WHERE c.state <> 'withdrawn'
       AND (c.matter_type <> ALL ($4::text[]) OR EXISTS (
           SELECT FROM unnest($5::text[], $6::text[], $7::bytea[]) AS o (matter_type, role, token)
             JOIN party p ON p.role = o.role AND p.id_token = o.token
            WHERE o.matter_type = c.matter_type
              AND p.office_id = c.office_id AND p.source_case_id = c.source_case_id))),
newest AS (
    SELECT * FROM told ORDER BY of_office, accepted_on DESC NULLS LAST, office_id, source_case_id LIMIT $8)
SELECT n.office_id AS "office_id!", o.name AS "office_name!", n.source_case_id AS "source_case_id!",
       n.case_no, n.matter_type AS "matter_type!", n.state AS "state!", n.place_of_use, n.applied_on,
       n.accepted_on, n.first_recorded_at AS "first_recorded_at!", n.by_identifier AS "by_identifier!",
       n.by_subject AS "by_subject!", n.tokens AS "tokens!",
       true AS "is_cut!", false AS "is_intent!",
       ARRAY (SELECT p.kind FROM party p WHERE p.office_id = n.office_id
                 AND p.source_case_id = n.source_case_id ORDER BY p.ordinal) AS "kinds!",
       ARRAY (SELECT p.name FROM party p WHERE p.office_id = n.office_id
                 AND p.source_case_id = n.source_case_id ORDER BY p.ordinal) AS "names!",
       ARRAY (SELECT k.key FROM matter_key k WHERE k.office_id = n.office_id
                 AND k.source_case_id = n.source_case_id ORDER BY k.key) AS "keys!"
  FROM newest n JOIN office o ON o.office_id = n.office_id
 ORDER BY n.accepted_on DESC NULLS LAST, n.office_id, n.source_case_id
