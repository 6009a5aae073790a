-- Retention of the audit log: what was recorded may go, its hashes stay (docs/audit.md). Locks: ACCESS EXCLUSIVE on
-- audit_entry for the change of the catalogue; the new column has a constant default, so that no row is rewritten.

ALTER TABLE audit_entry ADD COLUMN pruned boolean NOT NULL DEFAULT false;

-- Nothing is ever deleted. The one update there is takes all that was recorded and leaves number, time and hashes.
CREATE FUNCTION audit_entry_is_pruned_whole() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.pruned OR NEW IS DISTINCT FROM ROW(OLD.entry_no, OLD.recorded_at, '', NULL, '', '', NULL, NULL, '{}'::jsonb,
                                              OLD.chain_hash, NULL, OLD.tree, true)::audit_entry THEN
        RAISE EXCEPTION 'audit_entry is append-only';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER audit_entry_append_only ON audit_entry;
CREATE TRIGGER audit_entry_append_only BEFORE DELETE OR TRUNCATE ON audit_entry
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_append_only();
CREATE TRIGGER audit_entry_pruned_whole BEFORE UPDATE ON audit_entry
    FOR EACH ROW EXECUTE FUNCTION audit_entry_is_pruned_whole();
