-- What a statement of a BI tool may put on the disk: unlike the role's other limits, this one is not its own to lift.
-- Locks: none. A superuser's to set; docs/operator.md says what an administrator runs where the hub's role is none.
DO $$
BEGIN
    ALTER ROLE notary_hub_bi SET temp_file_limit = '1GB';
EXCEPTION
    WHEN insufficient_privilege OR undefined_object THEN
        RAISE NOTICE 'temp_file_limit of notary_hub_bi is for an administrator to set';
END $$;
