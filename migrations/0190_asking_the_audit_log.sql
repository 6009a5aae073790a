-- Supervisors ask the audit log who looked at what: by account, office, action, refusal, case and day, the newest first.
-- Locks: SHARE on audit_entry while each index is built; nothing is recorded, and so nobody is answered, meanwhile.

CREATE INDEX audit_entry_by_actor ON audit_entry (actor, entry_no);
CREATE INDEX audit_entry_by_office ON audit_entry (office_id, entry_no) WHERE office_id IS NOT NULL;
CREATE INDEX audit_entry_by_action ON audit_entry (action, entry_no);
-- The other outcomes are common: whoever walks backwards meets them soon.
CREATE INDEX audit_entry_denied ON audit_entry (entry_no) WHERE outcome = 'denied';
CREATE INDEX audit_entry_by_reference ON audit_entry (case_reference, entry_no) WHERE case_reference IS NOT NULL;
CREATE INDEX audit_entry_by_case ON audit_entry ((detail ->> 'case'), entry_no) WHERE detail ->> 'case' IS NOT NULL;
-- Numbers follow time.
CREATE INDEX audit_entry_by_time ON audit_entry USING brin (recorded_at);
