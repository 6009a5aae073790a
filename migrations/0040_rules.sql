-- Versions of the rules about matters, what a finding rests on, and the order in which cases behind a key are looked at.
-- Locks: the new columns change the catalogue alone; the index on `matter_key` builds under a SHARE lock, thirty million
-- keys in about a minute, in which ingest waits. `rank` of keys that are here already is set by `rules activate`.

-- Every rules text that was ever registered. A version is one text for ever.
CREATE TABLE rules_version (
    version       text COLLATE "C" PRIMARY KEY,
    digest        bytea NOT NULL,               -- SHA-256 of the content
    content       text NOT NULL,                -- TOML, as `linkage::matter::RuleSet` reads it
    registered_at timestamptz NOT NULL DEFAULT now(),
    activated_at  timestamptz,                  -- the last time; null: never in force
    in_force      boolean NOT NULL DEFAULT false,
    -- Cases that were here before it came into force are brought to it in three passes, keys before findings, by numbers
    -- before by persons; where the pass has come to. New cases follow the version in force at once.
    stage         text COLLATE "C" NOT NULL DEFAULT 'done' CHECK (stage IN ('keys', 'findings', 'persons', 'done')),
    stage_office  text COLLATE "C" NOT NULL DEFAULT '',
    stage_case    text COLLATE "C" NOT NULL DEFAULT '',
    CHECK (activated_at IS NOT NULL OR NOT in_force)
);
CREATE UNIQUE INDEX rules_version_in_force ON rules_version (in_force) WHERE in_force;
COMMENT ON TABLE rules_version IS '重复申请与披露规则的版本';

-- Behind a key the live cases come first, the newest acceptance before older ones; least first.
ALTER TABLE matter_key ADD COLUMN rank integer NOT NULL DEFAULT 0;
CREATE INDEX matter_key_by_key_and_rank ON matter_key (key, rank);
DROP INDEX matter_key_by_key;

-- What a finding rests on: equal numbers, or persons that linkage holds for one.
ALTER TABLE duplicate_finding
    ADD COLUMN basis        text COLLATE "C" NOT NULL DEFAULT 'number' CHECK (basis IN ('number', 'person')),
    ADD COLUMN match_weight integer;            -- what the weakest link it rests on weighed when it was last looked
                                                -- at, thousandths of a bit; null for numbers and people's decisions
