//! What PostgreSQL alone could do: the very rows that the hub wrote, by binary COPY over two connections into the same
//! indexed tables.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::TryStreamExt;
use sqlx::{Connection, PgConnection};

use crate::load::Part;

/// Tables that each case has rows in.
pub(crate) const TABLES: [&str; 4] = ["case_record", "party", "subject", "matter_key"];

/// One connection's share: each table's rows.
pub(crate) type Share = Vec<(&'static str, Vec<Bytes>)>;

/// Reads the rows of two offices, one share for each.
pub(crate) async fn take(url: &str, parts: &[Part]) -> anyhow::Result<Vec<Share>> {
    let mut connection = PgConnection::connect(url).await?;
    let mut shares = Vec::with_capacity(parts.len());
    for part in parts {
        let mut share = Share::new();
        for table in TABLES {
            let statement = format!(
                "COPY (SELECT * FROM {table} WHERE office_id = '{}') TO STDOUT (FORMAT BINARY)",
                part.office_id
            );
            let rows = connection.copy_out_raw(&statement).await?;
            share.push((table, rows.try_collect().await?));
        }
        shares.push(share);
    }
    connection.close().await?;
    Ok(shares)
}

/// Writes the shares side by side, each in one transaction; the time until the last commit.
pub(crate) async fn put(url: &str, shares: &[Share]) -> anyhow::Result<Duration> {
    let mut connections = Vec::with_capacity(shares.len());
    for share in shares {
        connections.push((PgConnection::connect(url).await?, share.clone()));
    }
    let begun = Instant::now();
    let mut writing = tokio::task::JoinSet::new();
    for (connection, share) in connections {
        writing.spawn(put_share(connection, share));
    }
    while let Some(written) = writing.join_next().await {
        written??;
    }
    Ok(begun.elapsed())
}

async fn put_share(mut connection: PgConnection, share: Share) -> anyhow::Result<()> {
    let mut transaction = connection.begin().await?;
    for (table, rows) in share {
        let statement = format!("COPY {table} FROM STDIN (FORMAT BINARY)");
        let mut copy = transaction.copy_in_raw(&statement).await?;
        for chunk in rows {
            copy.send(chunk).await?;
        }
        copy.finish().await?;
    }
    Ok(transaction.commit().await?)
}
