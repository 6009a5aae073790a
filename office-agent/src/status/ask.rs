//! Asking a running agent over its loopback address.

use std::path::Path;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::Status;
use crate::app::Addresses;

const TIME: Duration = Duration::from_secs(5);
const MOST: u64 = 16 << 20;

/// The running agent's status; `None` when none runs on this data directory.
pub async fn ask(data_dir: &Path) -> Option<Status> {
    let addresses = Addresses::read(data_dir)?;
    let asked = async {
        let mut stream = TcpStream::connect(addresses.local).await.ok()?;
        // HTTP/1.0: the answer is whole and ends with the connection.
        stream
            .write_all(b"GET /v1/status HTTP/1.0\r\nHost: localhost\r\n\r\n")
            .await
            .ok()?;
        let mut answer = Vec::new();
        stream.take(MOST).read_to_end(&mut answer).await.ok()?;
        let body_at = answer.windows(4).position(|at| at == b"\r\n\r\n")? + 4;
        serde_json::from_slice(&answer[body_at..]).ok()
    };
    timeout(TIME, asked).await.ok()?
}
