-- Versions of the rules of supervision and of the tariff, so that either can be replaced without another build of the hub.
-- Locks nothing that is there: it creates alone.

-- Every text that was ever registered. A version is one text for ever: findings name it.
CREATE TABLE supervision_text (
    part          text COLLATE "C" NOT NULL CHECK (part IN ('rules', 'tariff')),
    version       text COLLATE "C" NOT NULL,
    digest        bytea NOT NULL,               -- SHA-256 of the content
    content       text NOT NULL,                -- TOML, as hub/rules/ shows it
    registered_at timestamptz NOT NULL DEFAULT now(),
    activated_at  timestamptz,                  -- the last time; null: never in force
    PRIMARY KEY (part, version)
);
COMMENT ON TABLE supervision_text IS '监督规则与收费标准的版本';

-- Which version of each part is in force. Whoever judges holds both rows until what was found is stored, so that nothing
-- is stored under a version that was replaced before.
CREATE TABLE supervision_in_force (
    part    text COLLATE "C" PRIMARY KEY,
    version text COLLATE "C" NOT NULL,
    FOREIGN KEY (part, version) REFERENCES supervision_text (part, version)
);
