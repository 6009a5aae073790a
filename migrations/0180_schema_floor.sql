-- The least last migration that a program must know to work with this database. Programs of the version before go on
-- beside newer ones while hubs are upgraded one after the other; a migration that they cannot work with raises this.
CREATE TABLE schema_floor (
    one             boolean PRIMARY KEY DEFAULT true CHECK (one),
    least_migration bigint  NOT NULL
);

INSERT INTO schema_floor (least_migration) VALUES (180);
