-- Whether the persons whom offices served were ever counted, for whoever is shown how many there are. Locks: creates only.
-- It looks as the hub itself: a reader sees neither whom there is to count nor whether anybody was.
CREATE FUNCTION persons_are_counted() RETURNS boolean LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
    SELECT EXISTS (SELECT FROM person_month) OR NOT EXISTS (SELECT FROM mention);
END;
