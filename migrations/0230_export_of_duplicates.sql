-- Files of duplicate applications (重复申请). Locks: ACCESS EXCLUSIVE on export, some rows, for an instant. A hub of the
-- version before does not list the files of an account that has made one, until it is upgraded or the file expires.
ALTER TABLE export
    DROP CONSTRAINT export_subject_check,
    ADD CONSTRAINT export_subject_check CHECK (subject IN ('statistics', 'findings', 'audit', 'duplicates'));
