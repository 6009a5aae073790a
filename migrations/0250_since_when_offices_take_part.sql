-- People read since when an office takes part: nobody asks it for self-assessments of years before.
-- Locks: none that anybody waits for; a grant changes the catalogue alone.
GRANT SELECT (created_at) ON office TO notary_hub_people;
