//! `notary-hub health`: whether the hub on this machine serves, for container engines and scripts.

use std::time::Duration;

use anyhow::anyhow;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Failure, Output};
use crate::app::Addresses;
use crate::config::Config;

/// Less than whoever asks waits for.
const TIME: Duration = Duration::from_secs(4);
const MOST: u64 = 4096;

pub(super) async fn health(config: &Config, output: &Output) -> Result<(), Failure> {
    let addresses = std::fs::read(config.addresses_file())
        .map_err(|_| anyhow!("no hub runs on {}", config.data_dir.display()))?;
    let addresses: Addresses = serde_json::from_slice(&addresses)?;
    let answer = timeout(TIME, ask(addresses))
        .await
        .map_err(|_| anyhow!("the hub does not answer"))??;
    if !answer.starts_with("HTTP/1.0 200") {
        return Err(anyhow!("the hub does not serve; its log says why").into());
    }
    output.print(&json!({ "serving": true }), || "serving".into())?;
    Ok(())
}

async fn ask(addresses: Addresses) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(addresses.metrics).await?;
    // HTTP/1.0: the answer is whole and ends with the connection.
    stream
        .write_all(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
        .await?;
    let mut answer = String::new();
    stream.take(MOST).read_to_string(&mut answer).await?;
    Ok(answer)
}
