//! Two transactions that are held at one place until both are there: what each saw before, it saw without the other.

use sqlx::{AssertSqlSafe, PgPool};

/// Holds whoever sets one of the triggers off until another one does, 300 ms at most. A trigger is what follows
/// `CREATE` and names `meet`, such as `TRIGGER meet AFTER UPDATE ON office FOR EACH STATEMENT`.
pub async fn meet_at(pool: &PgPool, triggers: &[&str]) {
    let triggers: String = triggers
        .iter()
        .map(|trigger| format!("CREATE {trigger} EXECUTE FUNCTION meet();"))
        .collect();
    let meeting = format!(
        "CREATE FUNCTION meet() RETURNS trigger LANGUAGE plpgsql AS $$
         DECLARE began timestamptz := clock_timestamp();
         BEGIN
             PERFORM pg_advisory_xact_lock_shared(77, 0);
             WHILE (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 77 AND granted) < 2
                   AND clock_timestamp() < began + interval '300 milliseconds' LOOP
                 PERFORM pg_sleep(0.005);
             END LOOP;
             -- Time for the other to see that both are here.
             PERFORM pg_sleep(0.05);
             RETURN NULL;
         END $$;
         {triggers}"
    );
    sqlx::raw_sql(AssertSqlSafe(meeting))
        .execute(pool)
        .await
        .unwrap();
}

/// The same at the commit of whoever inserts into one of the tables.
pub async fn meet_at_commit(pool: &PgPool, tables: &[&str]) {
    let triggers: Vec<String> = tables
        .iter()
        .map(|table| {
            format!(
                "CONSTRAINT TRIGGER meet AFTER INSERT ON {table} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW"
            )
        })
        .collect();
    let triggers: Vec<&str> = triggers.iter().map(String::as_str).collect();
    meet_at(pool, &triggers).await;
}
