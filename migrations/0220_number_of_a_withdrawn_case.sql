-- A withdrawn case leaves its number to the one that was meant: a clerk enters a case twice and withdraws the first, or
-- another program takes all cases over under other keys. Hubs of the version before refuse such a case as they did.
-- Locks: SHARE on case_record while the index is built, about ten seconds on ten million rows, in which no case is stored.
CREATE UNIQUE INDEX case_record_by_number ON case_record (office_id, case_no)
    WHERE case_no IS NOT NULL AND state <> 'withdrawn';
DROP INDEX case_record_by_case_no;
