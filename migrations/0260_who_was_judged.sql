-- Decisions about persons follow the persons. A mention is a place in the list of a case's parties, and a revision may put
-- somebody else there; so a decision keeps by what its two were known when it was last looked at.
-- Locks: two columns without default change the catalogue alone. The rest reads and writes decisions in force: a few
-- thousand rows.

-- Fingerprints of the name without blanks and of the verified number: who has neither in common with who stood there is
-- somebody else. A corrected name leaves the number, a corrected number the name. Numbers that fail their check do not
-- tell anybody: they may be what is typed for none.
CREATE FUNCTION party_who(name text, number bytea) RETURNS bigint[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_remove(ARRAY[hashtextextended('name ' || regexp_replace(lower(name), '\s', '', 'g'), 0),
                              hashtextextended('number ' || encode(number, 'hex'), 0)], NULL);

ALTER TABLE link_judgement
    ADD COLUMN low_was  bigint[],                -- null: not looked at yet
    ADD COLUMN high_was bigint[];

UPDATE link_judgement j
   SET low_was = (SELECT party_who(p.name, p.id_token)
                    FROM mention m
                    JOIN party p ON p.office_id = m.office_id AND p.source_case_id = m.source_case_id
                                AND p.ordinal = m.ordinal
                   WHERE m.mention_id = j.low),
       high_was = (SELECT party_who(p.name, p.id_token)
                     FROM mention m
                     JOIN party p ON p.office_id = m.office_id AND p.source_case_id = m.source_case_id
                                 AND p.ordinal = m.ordinal
                    WHERE m.mention_id = j.high)
 WHERE j.state = 'in_force';
