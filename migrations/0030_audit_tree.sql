-- The audit log becomes a Merkle tree (RFC 6962; docs/audit.md). Locks: ACCESS EXCLUSIVE on audit_entry for the change
-- of the catalogue and one index look-up: columns are nullable, the constraint reads no row (NOT VALID). Nothing that
-- is in the log is written again: the chain of before ends here, and the first leaf of the tree names its end.

ALTER TABLE audit_entry
    ALTER COLUMN chain_hash DROP NOT NULL,       -- entries of the old chain alone
    ADD COLUMN salt bytea,                       -- 16 random bytes: a leaf hash tells nothing of a pruned entry
    ADD COLUMN tree bytea;                       -- perfect subtrees this entry completes, its own leaf hash first, 32 bytes each

CREATE TABLE audit_chain (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    entries  bigint NOT NULL,                    -- entries of the old chain; leaf 0 is the entry behind them
    head     bytea NOT NULL                      -- chain hash of the last of them; zeros when there is none
);
COMMENT ON TABLE audit_chain IS 'one row: where the hash chain of before ended';
INSERT INTO audit_chain (entries, head)
SELECT coalesce(max(entry_no), 0),
       coalesce((SELECT chain_hash FROM audit_entry ORDER BY entry_no DESC LIMIT 1), decode(repeat('00', 32), 'hex'))
  FROM audit_entry;
CREATE TRIGGER audit_chain_append_only BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION audit_entry_is_append_only();

-- A hub of before this version can append no more: its entries would be in no tree.
DO $$
BEGIN
    EXECUTE format('ALTER TABLE audit_entry ADD CONSTRAINT audit_entry_in_tree CHECK (tree IS NOT NULL OR entry_no <= %s) '
                   'NOT VALID', (SELECT entries FROM audit_chain));
END $$;
