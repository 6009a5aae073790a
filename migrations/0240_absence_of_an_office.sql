-- When an office that was revoked did not take part: what was due then it could not hand in, and nobody asks for it. Locks
-- nothing that is there: it creates alone.
CREATE TABLE office_absence (
    office_id     text COLLATE "C" NOT NULL REFERENCES office,
    revoked_at    timestamptz NOT NULL,
    reinstated_at timestamptz NOT NULL CHECK (reinstated_at >= revoked_at),
    PRIMARY KEY (office_id, revoked_at)
);
COMMENT ON TABLE office_absence IS '公证处停用期间';
