//! What in its database is the hub's alone, though PostgreSQL gives it to whoever may connect.
//!
//! - Advisory locks: the audit log, ingest and look-ups wait for them. A session that takes one and keeps it, a BI tool's
//!   for one, would stop them all; no limit of time ends that.
//! - Temporary tables and large objects: they fill the disk.
//!
//! Looked at with each start: a database that was restored, or moved to another server, may have lost it.

use sqlx::{PgPool, query, query_scalar, raw_sql};

use super::tx::tx;

/// Advisory lock of whoever does this, apart from every other lock of the hub.
const STARTING: i64 = 0x7265_7365_7276; // "reserv"

/// Takes from everybody what the hub's role may take, and keeps it itself. Functions of PostgreSQL's own are a
/// superuser's to give, a database is its owner's.
const KEEP: &str = r"
DO $$
DECLARE
    reserved regprocedure;
BEGIN
    IF has_database_privilege('public', current_database(), 'TEMPORARY')
       AND pg_has_role(current_user, (SELECT datdba FROM pg_database WHERE datname = current_database()), 'USAGE') THEN
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO %I', current_database(), current_user);
        EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    END IF;
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        FOR reserved IN
            SELECT oid FROM pg_proc
             WHERE pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege('public'::name, oid, 'EXECUTE')
               AND (proname ~ 'advisory' OR proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lowrite',
                                                        'lo_truncate', 'lo_truncate64'))
        LOOP
            EXECUTE format('GRANT EXECUTE ON FUNCTION %s TO %I', reserved, current_user);
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', reserved);
        END LOOP;
    END IF;
END $$";

/// Who may take the locks that the hub works by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Locks {
    OfTheHub,
    /// An administrator of the database has to take them away: the hub's role may not.
    OfEverybody,
}

/// Keeps to the hub what its role may keep, and says whose the locks are then.
pub async fn keep(pool: &PgPool) -> Result<Locks, sqlx::Error> {
    tx(pool, "reserved.keep", async move |tx| {
        // Hubs that start together would change the same rows of the catalogue.
        query!("SELECT pg_advisory_xact_lock($1)", STARTING)
            .fetch_one(&mut **tx)
            .await?;
        raw_sql(KEEP).execute(&mut **tx).await?;
        Ok::<_, sqlx::Error>(())
    })
    .await?;
    let open = query_scalar!(
        r#"SELECT bool_or(has_function_privilege('public'::name, oid, 'EXECUTE')) AS "open!"
             FROM pg_proc WHERE pronamespace = 'pg_catalog'::regnamespace AND proname ~ 'advisory'"#
    )
    .fetch_one(pool)
    .await?;
    Ok(match open {
        true => Locks::OfEverybody,
        false => Locks::OfTheHub,
    })
}
